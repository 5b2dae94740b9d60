#include "examples/demo/pipeline_files.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <utility>

#include "examples/shop/pipeline_scale.hpp"
#include "schema/pipeline.hpp"

namespace ordo::demo {
namespace {

constexpr std::array kShop{"digital",   "3c",     "books",   "takeaway",
                           "o2o_flash", "refund", "restore", "maintenance"};

/// Without the keys that this engine refuses.
std::string without_unsupported(std::string text) {
  const auto pipeline = parse_pipeline(text);
  if (!pipeline) return text;
  std::string refused;
  for (const Problem& problem : unsupported(*pipeline)) refused += problem.what + '\n';
  const auto drop = [&](const std::string& named, const std::string& pattern) {
    if (refused.find(named) == std::string::npos) return;
    text = std::regex_replace(text, std::regex(pattern), "");
  };
  drop("`order`", ", order: [a-z0-9_]+");
  drop("`fair_by`", ", fair_by: [a-z0-9_]+");
  drop("`limit_key`", ", limit_key: [a-z0-9_]+");
  if (refused.find("beside `each`") != std::string::npos) {
    text = std::regex_replace(text, std::regex("(each: .*), compensate: [a-z0-9_]+"), "$1");
  }
  return text;
}

}  // namespace

std::string examples_folder(const std::string& name) {
  std::error_code none;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
  const auto installed = (own / "../share/ordo" / name).lexically_normal();
  if (std::filesystem::is_directory(installed, none)) return installed.string();
  return std::string(ORDO_EXAMPLES_FOLDER) + '/' + name;
}

Result<std::string> read_pipeline(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::kNotFound, "pipeline", "cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::vector<std::string>> shop_pipelines(double speed) {
  std::vector<std::string> texts;
  for (const char* const name : kShop) {
    auto text = read_pipeline(examples_folder("shop/pipelines") + '/' + name + ".yaml");
    if (!text) return tl::unexpected(text.error());
    texts.push_back(without_unsupported(shop::scale_pipeline(*text, 1 / speed)));
  }
  auto hello = read_pipeline(examples_folder("pipelines") + "/hello.yaml");
  if (!hello) return tl::unexpected(hello.error());
  texts.push_back(*std::move(hello));
  return texts;
}

}  // namespace ordo::demo
