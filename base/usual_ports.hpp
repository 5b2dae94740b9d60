// The ports that the documents name, and whether a system for trying out can have them.
//
// Shapes:  on 127.0.0.1. The answer is a look at one moment: somebody else may take a port between
//          the look and the use, and then the program that binds it says so.
// Threads: pure but for the look.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace ordo {

/// For clients, for workers, for HTTP: the broker's defaults.
inline constexpr std::array<std::uint16_t, 3> kUsualPorts{7700, 7701, 7780};

/// The first of them that somebody listens on; nullopt: all can be had.
std::optional<std::uint16_t> taken_usual_port();

}  // namespace ordo
