#include "worker/executor/outcome.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>

#include "schema/context.hpp"
#include "schema/text.hpp"
#include "worker/executor/envelope.hpp"

namespace ordo::executor {
namespace {

/// A service that says "at once" again and again would be asked in a tight loop.
constexpr Millis kLeastSnooze{1000};

/// What is meant for people of what came back, on one line.
std::string excerpt(std::string_view bytes, std::size_t most) {
  std::string text = clean_text(bytes.substr(0, std::min(bytes.size(), 4 * most)), most);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string with_excerpt(std::string text, std::string_view bytes, std::size_t most) {
  const std::string said = excerpt(bytes, most);
  if (!said.empty()) text += ": " + said;
  return text;
}

/// It was done. Where what came of it cannot be kept, that is not known any more.
TaskOutcome done(std::string body, std::string context, const Step& step) {
  if (step.answer == Answer::kEnvelope) {
    auto opened = open_envelope(body);
    if (!opened) return unknown(opened.error().message);
    if (!opened->context.empty()) context = std::move(opened->context);
    body = std::move(opened->result);
  }
  if (!context.empty()) {
    const auto checked = check_context(context, limits::kStepContextBytes, "context");
    if (!checked) return unknown("the answer's " + checked.error().message);
  }
  return succeeded(std::move(body), std::move(context));
}

/// The date of HTTP: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::int64_t> parse_date(std::string_view text) {
  std::tm parts{};
  const std::string date(text);
  const char* const end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return ::timegm(&parts);
}

}  // namespace

std::optional<Millis> parse_retry_after(std::string_view text, Wall now) {
  constexpr std::size_t kDigits = 9;  // thirty years of seconds
  const bool is_number = !text.empty() && std::all_of(text.begin(), text.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) {
    std::int64_t seconds = 0;
    const auto digits = text.substr(0, std::min(text.size(), kDigits));
    std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    return Millis{seconds * 1000};
  }
  const auto date = parse_date(text);
  if (!date) return std::nullopt;
  const Millis at{*date * 1000};
  return std::max(at - std::chrono::duration_cast<Millis>(now.time_since_epoch()), Millis{0});
}

Verdict verdict_of(int status, const std::map<int, Verdict>& statuses) {
  if (const auto exact = statuses.find(status); exact != statuses.end()) return exact->second;
  if (const auto its = statuses.find(status / 100); its != statuses.end()) return its->second;
  switch (status) {
    case 408:
    case 425:
    case 429: return Verdict::kTransient;
    case 502:
    case 504: return Verdict::kUnknown;  // a gateway lost the answer of whoever may have acted
    default: break;
  }
  if (status / 100 == 2) return Verdict::kSucceeded;
  // A redirect is a wrong URL here, not a wrong order: it parks, where somebody sees it.
  return status / 100 == 4 ? Verdict::kPermanent : Verdict::kTransient;
}

TaskOutcome outcome_of(Reply reply, const Step& step, const std::string& service, Wall now) {
  const auto& statuses = std::get<HttpStep>(step.action).statuses;
  std::optional<Millis> wait;
  if (reply.retry_after) wait = parse_retry_after(*reply.retry_after, now);
  Verdict verdict = verdict_of(reply.status, statuses);
  const bool is_said = statuses.contains(reply.status) || statuses.contains(reply.status / 100);
  if (reply.status == 202 && wait && !is_said) verdict = Verdict::kSnooze;
  std::string text = service + " answered " + std::to_string(reply.status);
  if (reply.status / 100 == 3) text += " (redirects are not followed)";
  text = with_excerpt(std::move(text), reply.body, step.error_bytes);
  switch (verdict) {
    case Verdict::kSucceeded: return done(std::move(reply.body), std::move(reply.context), step);
    case Verdict::kSnooze: return snooze(std::max(wait.value_or(step.snooze), kLeastSnooze));
    case Verdict::kTransient: return transient(std::move(text), wait.value_or(Millis{0}));
    case Verdict::kUnknown: return unknown(std::move(text), wait.value_or(Millis{0}));
    case Verdict::kPermanent: break;
  }
  const bool has_reason = is_name(reply.reason);
  return permanent(std::move(text),
                   has_reason ? reply.reason : "http_" + std::to_string(reply.status));
}

TaskOutcome outcome_of(ProgramEnd end, const Step& step) {
  const auto& program = std::get<ProgramStep>(step.action);
  const auto say = [&](std::string what) {
    const auto tail = std::string_view(end.errors);
    const std::size_t from = tail.size() - std::min(tail.size(), step.error_bytes);
    return with_excerpt(program.arguments.front() + " " + std::move(what), tail.substr(from),
                        step.error_bytes);
  };
  using How = ProgramEnd::How;
  switch (end.how) {
    case How::kNotStarted:
      return transient(say(std::string("could not be started (") + std::strerror(end.code) + ")"));
    case How::kKilled: return unknown(say("was ended by signal " + std::to_string(end.code)));
    case How::kTimedOut: return unknown(say("took too long and was ended"));
    case How::kCancelled: return unknown(say("was ended because the attempt is over"));
    case How::kFlooded:
      return unknown(
          say("wrote more than " + std::to_string(step.answer_bytes) + " bytes and was ended"));
    case How::kExited: break;
  }
  const auto found = program.exits.find(end.code);
  const Verdict verdict = found == program.exits.end() ? Verdict::kTransient : found->second;
  std::string text = say("ended with exit code " + std::to_string(end.code));
  switch (verdict) {
    case Verdict::kSucceeded: return done(std::move(end.output), {}, step);
    case Verdict::kSnooze: return snooze(step.snooze);
    case Verdict::kTransient: return transient(std::move(text));
    case Verdict::kUnknown: return unknown(std::move(text));
    case Verdict::kPermanent: break;
  }
  return permanent(std::move(text), "exit_" + std::to_string(end.code));
}

}  // namespace ordo::executor
