// A new key for a client, worker, operator, observer or broker. The file that Options::key_file and
// WorkerOptions::key_file name is written by `ordo keys new`, which calls this.
//
// Shapes:  both halves are 40 characters of Z85 (RFC 32). The public one goes into the broker's
//          keyring, the secret one into a file that nobody else can read, and nowhere else.
// Errors:  kUnavailable "keys" where the ZeroMQ library was built without CURVE.
// Threads: any.
// Source:  RFC 26 (CurveZMQ).
#pragma once

#include <string>

#include "ordo/result.hpp"

namespace ordo::client {

struct NewKey {
  std::string public_key;
  std::string secret_key;
};

Result<NewKey> draw_key();

}  // namespace ordo::client
