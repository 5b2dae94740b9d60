#include "worker/app/worker_log.hpp"

#include "schema/trace.hpp"

namespace ordo::worker {

AttemptFields::AttemptFields(const wire::Offer& offer) : order_(offer.key.order.to_string()) {
  fields_.emplace_back("order", order_);
  fields_.emplace_back("pipeline", offer.pipeline);
  fields_.emplace_back("step", offer.step);
  if (offer.key.branch != 0) fields_.emplace_back("branch", offer.key.branch);
  fields_.emplace_back("attempt", offer.fence.attempt);
  if (offer.traceparent.size() != kTraceparentBytes) return;
  span_ = span_id(effect_key(offer.key, offer.step), offer.fence.attempt);
  fields_.emplace_back("trace_id", trace_id_of(offer.traceparent));
  fields_.emplace_back("span_id", span_);
}

void WorkerLog::write(log::Level level, std::string_view message,
                      std::vector<log::Field> fields) const {
  if (!is_on(level)) return;
  fields.emplace_back("worker", worker_);
  sink_(log::line(form_, level, log::now_text(), message, fields));
}

}  // namespace ordo::worker
