// What the commands share: settings, the client (dialed when first needed), the printer.
//
// Shapes:  a command is parsed first and run afterwards: parsing leaves a function in
//          Commands::chosen that gets the Shell and gives the exit code.
// Units:   --timeout is a duration with its unit (7s); 0 leaves each call its own default.
// Threads: one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "client/cli/exit_code.hpp"
#include "client/cli/printer.hpp"
#include "ordo/client.hpp"

namespace ordo::cli {

struct Settings {
  std::vector<std::string> endpoint{"tcp://127.0.0.1:7700"};
  std::string key_file;
  std::string broker_key;
  std::string keyring = "ordo.keys";
  std::string http = "http://127.0.0.1:7780";
  std::string output = "text";
  std::string color = "auto";
  std::string who;
  Millis timeout{0};
  bool is_quiet = false;
  bool says_yes = false;

  /// Declares all of them: flags, variables ORDO_…, lines of the configuration file.
  void declare(Config& config);
};

class Shell {
 public:
  explicit Shell(Settings settings);

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] const Printer& out() const { return printer_; }
  client::Client& client();
  /// The timeout of waits: --timeout, else `otherwise`.
  [[nodiscard]] client::milliseconds patience(client::milliseconds otherwise) const;
  /// Who gives an order: --who, else the account's name.
  [[nodiscard]] client::Operator operator_who(const std::string& why) const;

  /// Asks before something that stops or ends work. True: go on. Without a terminal only --yes says
  /// so.
  [[nodiscard]] bool confirms(const std::string& question) const;

 private:
  Settings settings_;
  Printer printer_;
  std::optional<client::Client> client_;
};

struct Commands {
  std::function<int(Shell&)> chosen;
};

/// An order's id from the command line; nullopt after a complaint.
std::optional<OrderId> parse_id(const std::string& text);
/// A whole file, or stdin for "-"; nullopt after a complaint.
std::optional<std::string> read_all(const std::string& path);
/// The program NAME beside this one, else the one in PATH; empty where there is none.
std::string sibling(const std::string& name);
/// The files of the example pipelines: installed with this program, or in its tree; by name.
std::vector<std::string> example_pipelines();
/// Becomes that program. Returns only to say why not.
int become(const std::string& name, const std::vector<std::string>& arguments);

}  // namespace ordo::cli
