# Compiler settings that every target shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# ordo_flags is linked privately by every target of this tree.
add_library(ordo_flags INTERFACE)
target_compile_options(ordo_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -Wswitch-enum is clang's job too; g++ 12 warns falsely about uninitialised optionals at -O2.
  target_compile_options(ordo_flags INTERFACE -Wswitch-enum -Wno-maybe-uninitialized -Wno-restrict
    -Wno-missing-field-initializers)  # designated initializers leave out what has a default
endif()
target_include_directories(ordo_flags INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/base/include ${PROJECT_SOURCE_DIR}/schema/include
  ${PROJECT_SOURCE_DIR}/client/include ${PROJECT_SOURCE_DIR}/worker/include)

set(ORDO_SANITIZE "" CACHE STRING "address,undefined or thread")
if(ORDO_SANITIZE)
  add_compile_options(-fsanitize=${ORDO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ORDO_SANITIZE})
endif()
option(ORDO_COVERAGE "Instrument for gcov" OFF)
if(ORDO_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()

# A static library of one layer: ordo_layer(name sources… LINK public-deps… HOME private-libraries…)
function(ordo_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;HOME" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE ordo_flags ${ARG_HOME})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_LINK})
  endif()
endfunction()
