#include "client/cli/shell.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

namespace ordo::cli {
namespace {

Form form_of(const std::string& word) {
  return word == "json" ? Form::kJson : word == "jsonl" ? Form::kJsonl : Form::kText;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool wants_color(const std::string& word) {
  if (word != "auto") return word == "always";
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal != nullptr && std::strcmp(terminal, "dumb") == 0;
  return !is_set("NO_COLOR") && !is_dumb && ::isatty(STDOUT_FILENO) == 1;
}

std::string account_name() {
  if (is_set("USER")) return std::getenv("USER");
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(::geteuid());
}

std::string own_folder() {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string file(path.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? std::string() : file.substr(0, slash);
}

bool is_program(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

}  // namespace

void Settings::declare(Config& config) {
  config.list("endpoint", endpoint, "Client sockets of brokers, separated by commas");
  config.text("key-file", key_file, "File of your own key, as `ordo keys new` made it");
  config.text("broker-key", broker_key, "The brokers' public key, or a file that holds it");
  config.text("keys", keyring, "The broker's keyring, for `ordo keys`");
  config.text("http", http, "A broker's HTTP address, for `ordo health`");
  config.choice("output", output, {"text", "json", "jsonl"}, "Form of what goes to stdout");
  config.choice("color", color, {"auto", "always", "never"},
                "Colour; auto: on a terminal, unless NO_COLOR is set");
  config.text("who", who, "Who acts, for the order's history; the account's name by default");
  config.duration("timeout", timeout, {Millis{0}, Millis{86'400'000}},
                  "How long to wait for an answer; 0: what suits the command");
  config.flag("quiet", is_quiet, "Only results, no remarks and no progress");
  config.flag("yes", says_yes, "Do not ask, where a command asks first");
}

Shell::Shell(Settings settings)
    : settings_(std::move(settings)),
      printer_(form_of(settings_.output), wants_color(settings_.color), settings_.is_quiet) {}

client::Client& Shell::client() {
  if (!client_) {
    client::Options options;
    options.endpoints = settings_.endpoint;
    options.name = "ordo-cli";
    options.key_file = settings_.key_file;
    options.broker_key = settings_.broker_key;
    if (settings_.timeout.count() > 0) options.timeout = settings_.timeout;
    client_.emplace(std::move(options));
  }
  return *client_;
}

client::milliseconds Shell::patience(client::milliseconds otherwise) const {
  return settings_.timeout.count() > 0 ? settings_.timeout : otherwise;
}

client::Operator Shell::operator_who(const std::string& why) const {
  return {settings_.who.empty() ? account_name() : settings_.who, why};
}

bool Shell::confirms(const std::string& question) const {
  if (settings_.says_yes) return true;
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1) {
    complain("this wants a yes, and there is no terminal to ask on", question, "add --yes");
    return false;
  }
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

std::optional<OrderId> parse_id(const std::string& text) {
  const auto id = OrderId::parse(text);
  if (!id) {
    complain("'" + printable(text) + "' is no order id",
             "ids look like " + OrderId::make(1'700'000'000'000, 0, 1).to_string(),
             "`ordo ls` lists orders");
  }
  return id;
}

std::optional<std::string> read_all(const std::string& path) {
  if (path == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  std::error_code none;
  const bool is_folder = std::filesystem::is_directory(path, none);
  if (file && !is_folder) text << file.rdbuf();
  if (is_folder) errno = EISDIR;
  if (!file || is_folder || file.bad()) {
    complain("cannot read " + path, std::strerror(errno), "check the path; `-` reads stdin");
    return std::nullopt;
  }
  return std::move(text).str();
}

std::string sibling(const std::string& name) {
  // A build tree keeps each program in the folder of its part.
  const std::string own = own_folder();
  for (const char* place :
       {"", "/../broker", "/../broker/app", "/../bench", "/../examples", "/../examples/demo"}) {
    const std::string path = own + place + "/" + name;
    if (is_program(path)) return path;
  }
  std::istringstream path(is_set("PATH") ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(path, folder, ':');) {
    if (!folder.empty() && is_program(folder + "/" + name)) return folder + "/" + name;
  }
  return {};
}

std::vector<std::string> example_pipelines() {
  // From PREFIX/bin to what is installed; from build/PRESET/client to the tree.
  const std::string own = own_folder();
  std::vector<std::string> files;
  for (const char* place : {"/../share/ordo/pipelines", "/../../../examples/pipelines"}) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(own + place, none)) {
      if (entry.path().extension() == ".yaml") files.push_back(entry.path().lexically_normal());
    }
    if (!files.empty()) break;
  }
  std::sort(files.begin(), files.end());
  return files;
}

int become(const std::string& name, const std::vector<std::string>& arguments) {
  const std::string program = sibling(name);
  if (program.empty()) {
    complain("there is no program " + name, "it is neither beside `ordo` nor in PATH",
             "install it, or build the target " + name);
    return kUnreachable;
  }
  std::vector<std::string> words{name};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  complain("cannot start " + program, std::strerror(errno));
  return kRefused;
}

}  // namespace ordo::cli
