#include "abi/model.h"

#include <algorithm>

namespace alos::abi {

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
  const std::size_t count = size() + 1;
  last_ = std::make_shared<const Node>(std::move(last_), std::move(message), head, count);
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

void ModelGenerate::continue_from(Conversation talk) {
  std::string text;
  base::encode(text, talk.system);
  if (talk.tools) base::encode(text, *talk.tools);
  context = base::Digest::of(text, talk.transcript.head().view());
  conversation = std::make_shared<const Conversation>(std::move(talk));
}

}  // namespace alos::abi
