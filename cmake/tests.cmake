# ordo_test(name SOURCES files… LINK targets… LABELS labels… [SECONDS limit]): a gtest program, each of whose tests
# is one test of ctest. Labels say what a test needs: unit, transcript, contract, tidy and sim need nothing,
# integration needs PostgreSQL's programs, faults and zombie kill and freeze whole processes. `threads` adds: it has
# threads of ours, which ./dev test also looks at under the thread sanitizer.
include(GoogleTest)

function(ordo_test name)
  cmake_parse_arguments(ARG "" "SECONDS" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ordo_flags ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  # What is tested is compiled as its preset says; the cases themselves run once, and compile in half the time.
  target_compile_options(${name} PRIVATE -O0)
  if(NOT ARG_SECONDS)
    set(ARG_SECONDS 60)
  endif()
  # Lists do not survive the way through discovery: several labels become one word, which -L matches by its parts.
  list(JOIN ARG_LABELS "+" labels)
  foreach(label IN LISTS ARG_LABELS)
    set_property(GLOBAL APPEND PROPERTY ordo_tests_${label} ${name})
  endforeach()
  gtest_discover_tests(${name}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${labels}" TIMEOUT ${ARG_SECONDS})
endfunction()

# Every executable below a folder of this tree, for targets that build a group of tests.
function(ordo_executables_below result folder)
  set(found "")
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      list(APPEND found ${target})
    endif()
  endforeach()
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder IN LISTS below)
    ordo_executables_below(more ${subfolder})
    list(APPEND found ${more})
  endforeach()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()
