# What `cmake --install` puts where: public headers, the two SDKs as shared libraries, the programs, and the files by
# which others find them (find_package(ordo), pkg-config).
#
# The SDKs are shared libraries over a third, ordo_common, which holds the layers that both stand on (base, schema):
# a program may use both and has each symbol once. Programs of this tree link the same layers statically.
if(ORDO_SANITIZE OR ORDO_COVERAGE)
  return()
endif()
include(CMakePackageConfigHelpers)

# Until 1.0 a minor version may change the binary interface, so it is part of the name that programs load.
set(ORDO_SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

# ordo_shared(name LAYERS static-layers… LINK libraries…): lib<name>.so from whole static layers, which exports ordo's
# symbols and none of the libraries inside it.
function(ordo_shared name)
  cmake_parse_arguments(ARG "" "" "LAYERS;LINK" ${ARGN})
  set(anchor ${PROJECT_BINARY_DIR}/${name}_anchor.cpp)
  file(GENERATE OUTPUT ${anchor} CONTENT "// The layers come from static libraries.\n")
  add_library(${name}_shared SHARED ${anchor})
  set(archives "")
  foreach(layer IN LISTS ARG_LAYERS)
    list(APPEND archives $<TARGET_FILE:${layer}>)
    add_dependencies(${name}_shared ${layer})
    set_property(TARGET ${name}_shared APPEND PROPERTY LINK_DEPENDS $<TARGET_FILE:${layer}>)
  endforeach()
  target_link_libraries(${name}_shared PRIVATE
    -Wl,--whole-archive ${archives} -Wl,--no-whole-archive ${ARG_LINK} Threads::Threads)
  target_link_options(${name}_shared PRIVATE
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map -Wl,--no-undefined)
  string(REPLACE "ordo_" "" short ${name})
  set_target_properties(${name}_shared PROPERTIES
    OUTPUT_NAME ${name} EXPORT_NAME ${short} VERSION ${PROJECT_VERSION} SOVERSION ${ORDO_SOVERSION}
    INSTALL_RPATH "$ORIGIN")
  set_property(TARGET ${name}_shared APPEND PROPERTY
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/exports.map)
  target_compile_features(${name}_shared INTERFACE cxx_std_20)
  target_include_directories(${name}_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  install(TARGETS ${name}_shared EXPORT ordoTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

function(ordo_pkgconfig name description)
  string(REPLACE "-" "_" library ${name})
  # From the file's own place to the prefix, so that an install may be moved.
  file(RELATIVE_PATH up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/ordo.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

if(TARGET ordo_client AND TARGET ordo_worker)
  ordo_shared(ordo_common LAYERS ordo_base ordo_key_file ordo_log_line ordo_schema ordo_context LINK PkgConfig::XXHASH)
  target_link_libraries(ordo_common_shared INTERFACE tl::expected)
  ordo_shared(ordo_client LAYERS ordo_client_core ordo_client LINK ordo_common_shared PkgConfig::ZMQ)
  ordo_shared(ordo_worker LAYERS ordo_worker_core ordo_worker_net ordo_worker
              LINK ordo_common_shared PkgConfig::ZMQ)
  # A user of an SDK also calls what its headers show of the common layers (ids, for one).
  target_link_libraries(ordo_client_shared INTERFACE ordo_common_shared)
  target_link_libraries(ordo_worker_shared INTERFACE ordo_common_shared)
  # What users' unit tests link: it holds the parser of pipelines, which no worker needs.
  ordo_shared(ordo_worker_testkit LAYERS ordo_pipeline ordo_worker_testkit
              LINK ordo_worker_shared ordo_common_shared yaml-cpp)
  target_link_libraries(ordo_worker_testkit_shared INTERFACE ordo_worker_shared)

  foreach(home base schema client worker)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${home}/include/ordo DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
      FILES_MATCHING PATTERN "*.hpp")
  endforeach()

  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/ordo)
  install(EXPORT ordoTargets NAMESPACE ordo:: DESTINATION ${package})
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/ordoConfig.cmake.in
    ${PROJECT_BINARY_DIR}/ordoConfig.cmake INSTALL_DESTINATION ${package})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/ordoConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/ordoConfig.cmake ${PROJECT_BINARY_DIR}/ordoConfigVersion.cmake
    DESTINATION ${package})
  ordo_pkgconfig(ordo-client "Client SDK of ordo: submits and follows orders")
  ordo_pkgconfig(ordo-worker "Worker SDK of ordo: runs the steps of orders")
endif()

# The programs, whatever the shells build under a name of ours, with those that `ordo dev` needs to show a system,
# and the example pipelines.
foreach(folder monitoring broker client worker bench examples)
  ordo_executables_below(found ${PROJECT_SOURCE_DIR}/${folder})
  foreach(target IN LISTS found)
    get_target_property(file ${target} OUTPUT_NAME)
    if(NOT file)
      set(file ${target})
    endif()
    # The first program is for reading: the README has it built outside of this tree.
    if(file MATCHES "^ordo($|-)" AND NOT file STREQUAL "ordo-first")
      install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
  endforeach()
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples/pipelines DESTINATION ${CMAKE_INSTALL_DATADIR}/ordo)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples/shop/pipelines DESTINATION ${CMAKE_INSTALL_DATADIR}/ordo/shop)
install(FILES ${PROJECT_SOURCE_DIR}/examples/shop/executor.yaml DESTINATION ${CMAKE_INSTALL_DATADIR}/ordo/shop)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/monitoring/prometheus DESTINATION ${CMAKE_INSTALL_DATADIR}/ordo)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
