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

/// Of the page (ordo-monitor).
inline constexpr std::uint16_t kUsualMonitorPort = 7790;

/// Whether nobody listens on it.
bool can_listen(std::uint16_t port);
/// One that nobody listens on, for programs that cannot say which they took; 0: there is none.
std::uint16_t free_port();
/// The first of the usual ports that somebody listens on; nullopt: all can be had.
std::optional<std::uint16_t> taken_usual_port();

}  // namespace ordo
