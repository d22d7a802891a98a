// The words of the journal: what zstd finds in a short segment before it has seen any of it.
#include "store/compression.h"

namespace alos::store {

std::string_view journal_dictionary_v1() {
  static constexpr std::string_view kWords =
      R"(,"code":"not_found","what":"no such file or directory"},"code":"conflict","code":"exhausted","code":"timeout",)"
      R"("code":"unavailable","code":"outcome_unknown","code":"cancelled","code":"corrupt","code":"exists","code":"invalid",)"
      R"("code":"denied","what":"no capability for ","details":"ask for it with request_permission"},"error":{"code":")"
      R"("kind":"job.created","pid":"1.1","cause":0,"body":{"image":"coding","goal":"","model":"openai/","roots":[{"name":)"
      R"("workspace","host":"/home/"}],"grants":["read,list fs:/workspace/**","write fs:/workspace/src/** ask","read object:)"
      R"(","execute clock:sleep","read human:owner","execute model:script:"]}})" "\n"
      R"("kind":"job.opened","kind":"process.spawned","kind":"process.exited","kind":"process.failed","kind":"process.killed",)"
      R"("kind":"process.paused","kind":"process.resumed","kind":"process.moved","cwd":"/workspace","kind":"cap.granted",)"
      R"("kind":"cap.revoked","kind":"request.opened","request":1,"kind":"request.answered","answer":"","kind":"object.put",)"
      R"("kind":"human.told","kind":"call.observed","kind":"call.waiting","name":"human.ask","args":{"to":"owner","question":")"
      R"(","choices":[]},"name":"human.tell","name":"cap.request","name":"cap.list","name":"time.now","name":"time.sleep",)"
      R"("name":"proc.exit","name":"proc.chdir","name":"proc.info","name":"fs.stat","name":"fs.search","name":"fs.mkdir",)"
      R"("name":"fs.move","name":"fs.remove","name":"mem.put","args":{"space":"","name":"","type":"text","value":"},)"
      R"("name":"mem.get","name":"mem.append","name":"mem.list","reply":{"name":"","version":1},"reply":{"entries":[{"name":")"
      R"(","kind":"file","bytes":0},{"name":"","kind":"directory","bytes":0}],"truncated":false},"reply":{"matches":[{"path":)"
      R"("/workspace/src/","line":1,"text":""}]},"blob":{"digest":"","bytes":)"
      R"(,"holder":"7.1","from":"manifest","grant":"write fs:/workspace/**","uses":1,"until":null,"effect":"allow",)"
      R"("name":"list_directory","name":"find_files","name":"search_files","name":"edit_file","arguments":"{\"path\":\"\",\"old\":\")"
      R"(\",\"new\":\"","name":"ask_human","name":"put_object","name":"get_object","name":"exit","arguments":"{\"result\":\")"
      R"("kind":"authority.decided","pid":"7.1","cause":11,"body":{"call":3,"n":0,"resource":"fs:/workspace/","right":"write",)"
      R"("decision":"allowed","decision":"asked","decision":"denied","matched":[1]}})" "\n"
      R"("kind":"call.intended","pid":"7.1","cause":11,"body":{"call":3,"n":0,"name":"fs.write","args":{"path":"/workspace/",)"
      R"("content":"","existing":"any"},"digest":"","needs":[{"resource":"fs:/workspace/","right":"write","reach":"exact"}],)"
      R"("matched":[2],"spends":[],"effect":"verifiable","preimage":{"existed":true,"digest":"","existed":false}}})" "\n"
      R"("kind":"call.settled","pid":"7.1","cause":11,"body":{"call":3,"n":0,"name":"fs.write","outcome":"done",)"
      R"("reply":{"bytes":12,"created":true}}})" "\n"
      R"("kind":"call.settled","pid":"7.1","cause":11,"body":{"call":3,"n":0,"name":"fs.list","outcome":"failed","error":{"code":)" "\n"
      R"("kind":"call.intended","pid":"7.1","cause":11,"body":{"call":3,"n":0,"name":"model.generate","args":{"model":"",)"
      R"("messages":[],"tools":[{"name":"","description":"","schema":{"type":"object","properties":{}}}]},"effect":"repeatable",)"
      R"("matched":[3],"spends":[]}})" "\n"
      R"("kind":"call.settled","pid":"7.1","cause":11,"body":{"call":3,"n":0,"name":"model.generate","outcome":"done",)"
      R"("reply":{"text":"","tool_calls":[{"id":"call_1","name":"read_file","arguments":"{\"path\":\"/workspace/\"}"}],)"
      R"("input_tokens":1200,"output_tokens":64,"finish":"tool_calls","finish":"stop","index":0,"turn":1}}})" "\n"
      R"("kind":"tool.called","pid":"7.1","cause":11,"body":{"call":3,"turn":1,"index":0,"id":"call_1","tool":"write_file",)"
      R"("arguments":"{\"path\":\"/workspace/\",\"content\":\""}})" "\n"
      R"("kind":"tool.returned","pid":"7.1","cause":11,"body":{"call":3,"tool":"write_file","ok":false,"error":{"code":)" "\n"
      R"({"job":7,"seq":12,"at":"2026-11-22T16:43:17.123456Z","kind":"call.settled","pid":"7.1","cause":11,"body":{"call":3,)"
      R"("n":0,"name":"fs.read","outcome":"done","reply":{"content":"","file_bytes":12,"digest":""}}})" "\n"
      R"({"job":7,"seq":13,"at":"2026-11-22T16:43:17.123456Z","kind":"tool.returned","pid":"7.1","cause":12,"body":{"call":3,)"
      R"("tool":"read_file","ok":true,"value":""}})" "\n"
      R"({"job":7,"seq":14,"at":"2026-11-22T16:43:17.123456Z","kind":"tool.called","pid":"7.1","cause":13,"body":{"call":4,)"
      R"("tool":"read_file","arguments":{"path":"/workspace/src/"}}})" "\n"
      R"({"job":1,"seq":1,"at":"2026-11-22T16:43:17.)";
  return kWords;
}

}  // namespace alos::store
