// The files of the web page, built into the program that serves them.
//
// Shapes:  `path` is what a browser asks for ("/" and what that names), `etag` as it stands in the
//          header, with its quotes. `gzip` is the same body compressed; empty where that is no
//          smaller. A build without Node.js holds one page that says so.
// Threads: constants.
#pragma once

#include <span>
#include <string_view>

namespace ordo {

struct PageFile {
  std::string_view path, type, body, gzip, etag;
};

std::span<const PageFile> page_files();

}  // namespace ordo
