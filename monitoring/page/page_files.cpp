#include "monitoring/page/page_files.hpp"

#include <array>

namespace ordo {
namespace {

constexpr std::string_view kBody =
    "<!doctype html><html lang=\"en\"><title>ordo</title><h1>ordo-monitor</h1>"
    "<p>This build has no page; the API is below <code>/api/v1/</code>.</p></html>\n";
constexpr std::array<PageFile, 1> kFiles{
    {{"/", "text/html; charset=utf-8", kBody, "", "\"none\""}}};

}  // namespace

std::span<const PageFile> page_files() { return kFiles; }

}  // namespace ordo
