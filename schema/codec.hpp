// Messages to bytes and back.
//
// Shapes:  msgpack arrays as messages.hpp describes; ids and sessions are 16-byte bins, payloads
//          and results bins, texts strs (a receiver takes either for either).
// Errors:  decode() is total: any bytes give a message or an Error of code malformed whose `reason`
//          is one of not_msgpack, too_deep, too_many, too_large, bad_envelope, wrong_protocol,
//          unknown_type, bad_field. Nothing is allocated before its size was checked against the
//          bytes that are there.
// Threads: pure functions.
// Costs:   one pass to a flat tape of tokens, one to the struct; about 10 ns a field.
// Source:  msgpack specification; msgpack-cxx's packer and visitor parser.
#pragma once

#include <string>
#include <string_view>

#include "ordo/result.hpp"
#include "schema/messages.hpp"

namespace ordo::wire {

/// The frame of a message.
std::string encode(const Message& message);

/// The message of a frame of at most limits::kFrameBytes.
Result<Message> decode(std::string_view frame);

/// "Submit": for logs and metrics.
std::string_view type_name(const Message& message);

/// One of the bodies of answers (OrderSummary, OrderView, OrderPage, EventPage, Explanation,
/// PipelineView, PipelineList, QueueList, WorkerList), to and from Answer::body.
template <class Body> std::string encode_body(const Body& body);
template <class Body> Result<Body> decode_body(std::string_view bytes);

/// The answer that carries an error.
Answer to_answer(std::uint64_t request, const Error& error);
/// The error of an answer whose code is not 0.
Error to_error(const Answer& answer);

}  // namespace ordo::wire
