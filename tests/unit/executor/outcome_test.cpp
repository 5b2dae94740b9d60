// The two tables of docs/executor.md: what a status and what an exit code mean.
#include "worker/executor/outcome.hpp"

#include <gtest/gtest.h>

namespace ordo::executor {
namespace {

using namespace std::chrono_literals;
using Kind = TaskOutcome::Kind;

// Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110.
constexpr Wall kNow{std::chrono::seconds{784'111'777}};

Step http_step(std::map<int, Verdict> statuses = {}) {
  Step step;
  step.name = "charge";
  step.action = HttpStep{.statuses = std::move(statuses)};
  return step;
}

Reply reply_of(int status, std::string body = {}) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

TaskOutcome of(Reply reply, const Step& step = http_step()) {
  return outcome_of(std::move(reply), step, "bank", kNow);
}

TEST(Outcome, OfEveryStatusIsAsTheTableSays) {
  for (int status = 200; status < 600; ++status) {
    Kind wanted = Kind::kTransient;
    if (status / 100 == 2) wanted = Kind::kSucceeded;
    if (status / 100 == 4) wanted = Kind::kPermanent;
    if (status == 408 || status == 425 || status == 429) wanted = Kind::kTransient;
    if (status == 502 || status == 504) wanted = Kind::kUnknown;
    EXPECT_EQ(of(reply_of(status)).kind, wanted) << status;
  }
}

TEST(Outcome, BringsResultContextErrorAndReason) {
  Reply good = reply_of(201, "body");
  good.context = R"({"paid":true})";
  EXPECT_EQ(of(good).result, "body");
  EXPECT_EQ(of(good).context, R"({"paid":true})");
  Reply bad = reply_of(422, "card\ndeclined\xff\n");
  EXPECT_EQ(of(bad).error, "bank answered 422: card declined\xef\xbf\xbd");
  EXPECT_EQ(of(bad).reason, "http_422");
  bad.reason = "card_declined";
  EXPECT_EQ(of(bad).reason, "card_declined");
  bad.reason = "no reason, really";
  EXPECT_EQ(of(bad).reason, "http_422") << "what is no word is none";
  EXPECT_EQ(of(reply_of(301)).error, "bank answered 301 (redirects are not followed)");
  Step silent = http_step();
  silent.error_bytes = 0;
  EXPECT_EQ(of(bad, silent).error, "bank answered 422");
}

TEST(Outcome, OfAConfiguredStatusGoesBeforeItsClassAndBothBeforeTheTable) {
  const Step step = http_step({{409, Kind::kSucceeded},
                               {4, Kind::kTransient},
                               {2, Kind::kUnknown},
                               {503, Kind::kSnooze},
                               {202, Kind::kSucceeded}});
  EXPECT_EQ(of(reply_of(409, "was there"), step).result, "was there");
  EXPECT_EQ(of(reply_of(404), step).kind, Kind::kTransient);
  EXPECT_EQ(of(reply_of(200), step).kind, Kind::kUnknown);
  EXPECT_EQ(of(reply_of(503), step).kind, Kind::kSnooze);
  EXPECT_EQ(of(reply_of(503), step).delay, 5s) << "the step's own";
  Reply later = reply_of(202);
  later.retry_after = "3";
  EXPECT_EQ(of(later, step).kind, Kind::kSucceeded);
}

TEST(Outcome, HonoursRetryAfter) {
  Reply busy = reply_of(429);
  EXPECT_EQ(of(busy).delay, 0ms) << "the step's own policy";
  busy.retry_after = "7";
  EXPECT_EQ(of(busy).delay, 7s);
  busy.retry_after = "Sun, 06 Nov 1994 08:50:37 GMT";
  EXPECT_EQ(of(busy).delay, 60s);
  busy.retry_after = "soon";
  EXPECT_EQ(of(busy).delay, 0ms);
  Reply later = reply_of(202);
  EXPECT_EQ(of(later).kind, Kind::kSucceeded);
  later.retry_after = "30";
  EXPECT_EQ(of(later).kind, Kind::kSnooze);
  EXPECT_EQ(of(later).delay, 30s);
  later.retry_after = "0";
  EXPECT_EQ(of(later).delay, 1s) << "not in a tight loop";
}

TEST(Outcome, ReadsRetryAfterInBothForms) {
  EXPECT_EQ(parse_retry_after("0", kNow), 0ms);
  EXPECT_EQ(parse_retry_after("120", kNow), 120s);
  EXPECT_EQ(parse_retry_after(std::string(40, '9'), kNow), 999'999'999s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:30 GMT", kNow), 0ms) << "in the past";
  for (const char* const wrong : {"", "-1", "1.5", "1 s", "Sun, 06 Nov 1994", "tomorrow"}) {
    EXPECT_EQ(parse_retry_after(wrong, kNow), std::nullopt) << wrong;
  }
}

TEST(Outcome, OpensAnEnvelopeWhereTheStepSaysSo) {
  Step step = http_step();
  step.answer = Answer::kEnvelope;
  const TaskOutcome good = of(reply_of(200, R"({"result":1,"context":{"a":2}})"), step);
  EXPECT_EQ(good.result, "1");
  EXPECT_EQ(good.context, R"({"a":2})");
  const TaskOutcome bad = of(reply_of(200, "<html>"), step);
  EXPECT_EQ(bad.kind, Kind::kUnknown) << "it was done, and what came of it is lost";
  EXPECT_NE(bad.error.find("no envelope"), std::string::npos);
}

TEST(Outcome, OfAContextThatIsNoneIsUnknown) {
  Reply reply = reply_of(200);
  for (const std::string& context :
       {std::string("[1]"), std::string("paid"), "{\"a\":\"" + std::string(4096, 'x') + "\"}"}) {
    reply.context = context;
    EXPECT_EQ(of(reply).kind, Kind::kUnknown) << context;
  }
}

Step program_step(std::map<int, Verdict> more = {}) {
  Step step;
  ProgramStep program;
  program.arguments = {"/bin/label"};
  for (const auto& [code, verdict] : more) program.exits[code] = verdict;
  step.action = program;
  return step;
}

TaskOutcome of(ProgramEnd::How how, int code, const Step& step = program_step()) {
  ProgramEnd end;
  end.how = how;
  end.code = code;
  end.output = "out";
  end.errors = "first line\nno ink\n";
  return outcome_of(std::move(end), step);
}

TEST(Outcome, OfEveryExitCodeIsAsTheTableSays) {
  using How = ProgramEnd::How;
  for (int code = 0; code < 256; ++code) {
    Kind wanted = Kind::kTransient;
    if (code == 0) wanted = Kind::kSucceeded;
    if (code == 65) wanted = Kind::kPermanent;
    EXPECT_EQ(of(How::kExited, code).kind, wanted) << code;
  }
  EXPECT_EQ(of(How::kExited, 0).result, "out");
  EXPECT_EQ(of(How::kExited, 65).reason, "exit_65");
  EXPECT_EQ(of(How::kExited, 75).error, "/bin/label ended with exit code 75: first line no ink");
  const Step step = program_step({{3, Kind::kSnooze}, {0, Kind::kPermanent}, {4, Kind::kUnknown}});
  EXPECT_EQ(of(How::kExited, 3, step).delay, 5s);
  EXPECT_EQ(of(How::kExited, 0, step).kind, Kind::kPermanent);
  EXPECT_EQ(of(How::kExited, 4, step).kind, Kind::kUnknown);
}

TEST(Outcome, OfAProgramThatDidNotEndByItselfIsUnknown) {
  using How = ProgramEnd::How;
  for (const How how : {How::kKilled, How::kTimedOut, How::kCancelled, How::kFlooded}) {
    EXPECT_EQ(of(how, 9).kind, Kind::kUnknown) << static_cast<int>(how);
  }
  EXPECT_EQ(of(How::kNotStarted, ENOENT).kind, Kind::kTransient) << "nothing was done";
  EXPECT_NE(of(How::kNotStarted, ENOENT).error.find("No such file"), std::string::npos);
  Step brief = program_step();
  brief.error_bytes = 7;
  EXPECT_EQ(of(How::kExited, 1, brief).error, "/bin/label ended with exit code 1: no ink");
}

}  // namespace
}  // namespace ordo::executor
