// A pipeline whose orders live faster: the waits for people, the delays and the deadline of a file
// times a scale, everything else as it is.
//
// Rule:    timeouts of attempts and retries stay: the machine does not get faster with the scale.
// Units:   a scale of 1/60 makes a minute a second; no delay falls below 1 ms, no wait below 5 s,
//          no deadline below 5 min, because the machine that is waited for is as slow as before.
// Shapes:  a step stands on one line, as in examples/shop/pipelines.
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>

namespace ordo::shop {

std::string scale_pipeline(std::string_view yaml, double scale);

}  // namespace ordo::shop
