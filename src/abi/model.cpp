#include "abi/model.h"

#include <algorithm>

namespace alos::abi {

Transcript::Node::Node(std::shared_ptr<const Node> before, Message text, base::Digest digest)
    : previous(std::move(before)),
      message(std::move(text)),
      head(digest),
      size(previous ? previous->size + 1 : 1),
      bytes((previous ? previous->bytes : 0) + message.text.size_bytes()) {
  for (const ToolRequest& call : message.tool_calls)
    bytes += call.name.size() + call.arguments.size_bytes();
}

Transcript::Node::~Node() {
  // Frees a long chain in a loop: the default would recurse once a message.
  std::shared_ptr<const Node> next = std::move(previous);
  while (next && next.use_count() == 1) {
    auto after = std::move(
        const_cast<Node&>(*next).previous);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    next = std::move(after);
  }
}

// The head covers who speaks and to what call as JSON, then the text itself: escaping it would cost
// more than hashing. A text that belongs into a blob counts by its digest, so that it is the same
// head before and after it has moved there.
void Transcript::append(Message message) {
  std::string text;
  base::encode(text, message.role);
  base::encode(text, message.tool_calls);
  base::encode(text, message.tool_call_id);
  if (message.text.blob || base::wants_blob(message.text))
    (text += '#') += base::to_hex(message.text.digest());
  else
    (text += '=') += message.text.data;
  const base::Digest head = base::Digest::of(this->head().view(), text);
  last_ = std::make_shared<const Node>(std::move(last_), std::move(message), head);
}

const Message& Transcript::from_back(std::size_t count) const {
  CHECK(count < size());
  const Node* node = last_.get();
  for (; count > 0; --count) node = node->previous.get();
  return node->message;
}

std::vector<const Message*> Transcript::messages() const {
  std::vector<const Message*> out(size());
  std::size_t at = out.size();
  for (const Node* node = last_.get(); node != nullptr; node = node->previous.get())
    out[--at] = &node->message;
  return out;
}

std::vector<Message> Transcript::to_items() const {
  std::vector<Message> out;
  out.reserve(size());
  for (const Message* message : messages()) out.push_back(*message);
  return out;
}

Transcript Transcript::from_items(std::vector<Message> messages) {
  Transcript transcript;
  for (Message& message : messages) transcript.append(std::move(message));
  return transcript;
}

std::uint64_t Conversation::bytes() const {
  std::uint64_t bytes = system.size_bytes() + transcript.bytes();
  if (tools)
    for (const ToolSpec& tool : *tools)
      bytes += tool.name.size() + tool.description.size() + tool.schema.size_bytes();
  return bytes;
}

void ModelGenerate::continue_from(Conversation talk) {
  std::string text;
  base::encode(text, talk.system);
  if (talk.tools) base::encode(text, *talk.tools);
  context = base::Digest::of(text, talk.transcript.head().view());
  conversation = std::make_shared<const Conversation>(std::move(talk));
}

}  // namespace alos::abi
