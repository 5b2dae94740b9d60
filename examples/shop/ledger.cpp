#include "examples/shop/ledger.hpp"

#include <ctime>
#include <sstream>
#include <utility>

namespace ordo::shop {
namespace {

std::string line_of(const Effect& effect) {
  std::string line = effect.key + ' ' + std::to_string(effect.attempt) + ' ' + effect.worker;
  line += ' ' + std::to_string(effect.start_ms) + ' ' + std::to_string(effect.end_ms);
  return line + ' ' + effect.outcome;
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(const std::string& path) {
  auto file = LineFile::open(path);
  if (!file) return tl::unexpected(file.error());
  return std::unique_ptr<Ledger>(new Ledger(*std::move(file)));
}

void Ledger::append(const Effect& effect) { file_->wait(file_->put(line_of(effect))); }

Result<std::vector<Effect>> read_ledger(const std::string& path) {
  const auto lines = read_lines(path);
  if (!lines) return tl::unexpected(lines.error());
  std::vector<Effect> effects;
  for (const std::string& line : *lines) {
    Effect effect;
    std::istringstream words(line);
    words >> effect.key >> effect.attempt >> effect.worker >> effect.start_ms >> effect.end_ms;
    if (!(words >> effect.outcome)) {
      return fail(Code::kMalformed, "ledger", path + ": not a line of a ledger: " + line);
    }
    effects.push_back(std::move(effect));
  }
  return effects;
}

std::int64_t monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace ordo::shop
