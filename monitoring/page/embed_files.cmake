# Writes the files of FOLDER, and beside each its compressed form NAME.gz where there is one, into
# OUTPUT as C++ (page_files.hpp declares what it defines).
file(GLOB files ${FOLDER}/*)
list(SORT files)
list(FILTER files EXCLUDE REGEX "\\.gz$")
set(type_html "text/html; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_svg "image/svg+xml")
set(type_json "application/json")

# array(NAME FILE CODE): appends the bytes of a file as an array.
function(array name file code)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  set(text "constexpr unsigned char ${name}[] = {\n${bytes}\n};\n")
  set(${code} "${${code}}${text}" PARENT_SCOPE)
endfunction()

set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  get_filename_component(ending ${file} LAST_EXT)
  string(SUBSTRING ${ending} 1 -1 ending)
  if(NOT DEFINED type_${ending})
    message(FATAL_ERROR "${name}: no type is known for .${ending} files of the page")
  endif()
  array(kBody${number} ${file} arrays)
  set(gzip "{}")
  if(EXISTS ${file}.gz)
    array(kGzip${number} ${file}.gz arrays)
    set(gzip "view(kGzip${number})")
  endif()
  file(SHA256 ${file} hash)
  string(SUBSTRING ${hash} 0 20 hash)
  set(path /${name})
  if(name STREQUAL "index.html")
    set(path /)
  endif()
  string(APPEND rows "    {\"${path}\", \"${type_${ending}}\", view(kBody${number}), ${gzip}, "
    "\"\\\"${hash}\\\"\"},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"monitoring/page/page_files.hpp\"

#include <cstddef>

namespace ordo {
namespace {

${arrays}
template <std::size_t N>
std::string_view view(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char*>(bytes), N};
}

}  // namespace

std::span<const PageFile> page_files() {
  static const PageFile kFiles[] = {
${rows}  };
  return kFiles;
}

}  // namespace ordo
")
