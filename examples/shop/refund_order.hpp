// The order that pays another one's money back: the same one whoever asks for it, and however
// often.
//
// Rule:    its id is reckoned out of the order that paid, so that a compensation, a reconciliation
//          and a clerk who all want the same money back make one order. Where that one has failed
//          (the channel knows the account no more) the next round is another order.
// Bounds:  it has the time and the shard of the order that paid: a broker takes it as new for as
//          long as it takes ids of that age.
// Threads: pure functions.
#pragma once

#include "ordo/client.hpp"

namespace ordo::shop {

OrderId refund_id(const OrderId& paid, int round = 0);
client::Order refund_order(const OrderId& paid, int round = 0);

}  // namespace ordo::shop
