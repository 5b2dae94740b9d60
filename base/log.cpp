#include "base/log.hpp"

#include <atomic>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace ordo::log {
namespace {

std::atomic<Level> least_level{Level::kInfo};
std::atomic<Form> line_form{Form::kText};

spdlog::logger& sink() {
  // Left to live until the process ends: other threads may log while statics are destroyed.
  static auto* logger = [] {
    auto* made = new spdlog::logger("ordo", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

}  // namespace

void setup(Level least, Form form) {
  least_level = least;
  line_form = form;
}

bool is_on(Level level) { return level >= least_level.load(std::memory_order_relaxed); }

void write_all(Level level, std::string_view message, std::span<const Field> fields) {
  if (!is_on(level)) return;
  sink().info("{}",
              line(line_form.load(std::memory_order_relaxed), level, now_text(), message, fields));
}

}  // namespace ordo::log
