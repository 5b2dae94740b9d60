// Every setting of a program as a flag of its command line, and the flags that show them.
//
// Use:     ConfigFlags flags(app, config, "ORDO_"); app.parse(…); config.load(flags.given(),
//          flags.file, …). It must be there while the command line is parsed.
// Shapes:  App is CLI::App: each program includes that library, this folder does not.
// Threads: one owner.
#pragma once

#include <map>
#include <string>

#include "base/config.hpp"

namespace ordo {

template <class App> class ConfigFlags {
 public:
  /// `prefix` of the variables, as Config::load has it.
  ConfigFlags(App& app, const Config& config, const std::string& prefix) : app_(app) {
    app.add_option("--config", file, "File of `key = value` lines")->envname(prefix + "CONFIG");
    app.add_flag("--print-config", must_print, "Print every setting with its origin and end");
    app.add_flag("--document-config", must_document, "Print the settings as a table and end")
        ->group("");
    for (const auto& setting : config.settings()) {
      const std::string help =
          setting.help + (setting.range.empty() ? "" : " [" + setting.range + "]") +
          (setting.default_text.empty() ? "" : " Default: " + setting.default_text);
      if (setting.is_flag) {
        app.add_flag("--" + setting.key, switches_[setting.key], help);
      } else {
        app.add_option("--" + setting.key, texts_[setting.key], help)->take_last();
      }
    }
  }
  ConfigFlags(const ConfigFlags&) = delete;
  ConfigFlags& operator=(const ConfigFlags&) = delete;

  /// What stood on the command line, by the setting's name.
  [[nodiscard]] std::map<std::string, std::string> given() const {
    std::map<std::string, std::string> flags;
    for (const auto& [key, text] : texts_) {
      if (app_.count("--" + key) > 0) flags[key] = text;
    }
    for (const auto& [key, is_on] : switches_) {
      if (app_.count("--" + key) > 0) flags[key] = is_on ? "true" : "false";
    }
    return flags;
  }

  std::string file;
  bool must_print = false;
  bool must_document = false;

 private:
  App& app_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, bool> switches_;
};

}  // namespace ordo
