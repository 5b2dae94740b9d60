#include "client/cli/health_tree.hpp"

#include "base/http_get.hpp"

namespace ordo::cli {

Json fetch_tree(const Shell& shell) {
  const auto reply = http_get(shell.settings().http + "/api/v1/health", Millis{2000});
  if (!reply || reply->status != 200) return Json::object();
  Json tree = Json::parse(reply->body, nullptr, false);
  return tree.is_object() ? tree : Json::object();
}

std::vector<std::string> troubles(const Printer& printer, const Json& tree) {
  std::vector<std::string> lines;
  for (const bool is_cause : {true, false}) {
    for (const Json& node : tree.value("nodes", Json::array())) {
      const std::string status = node.value("status", "unknown");
      if (status == "green" || node.value("root_cause", false) != is_cause) continue;
      const std::string interface = node.value("interface", "");
      lines.push_back(printer.state(status) + "  " + printable(node.value("id", "")) +
                      (is_cause ? "  (root cause)" : "") + "  " +
                      printable(interface.empty() ? "" : interface + ": ") +
                      printable(node.value("text", "")));
    }
  }
  return lines;
}

}  // namespace ordo::cli
