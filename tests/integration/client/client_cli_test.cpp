// The program `ordo` as a script meets it: exit codes, forms of output, what it says on stderr.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/integration/client/fake_broker.hpp"
#include "tests/integration/client/program_run.hpp"

namespace ordo {
namespace {

using nlohmann::json;
using test::FakeBroker;
using test::Outcome;
using testing::HasSubstr;
using testing::Not;

class Cli : public testing::Test {
 protected:
  Outcome ordo(std::vector<std::string> arguments, const std::string& input = {}) {
    return test::run_program({.program = ORDO_PROGRAM,
                              .arguments = std::move(arguments),
                              .input = input,
                              .environment = environment});
  }
  /// A file of the test's own.
  std::string file(const std::string& name, const std::string& text) {
    const std::string path = testing::TempDir() + "ordo-cli-" + std::to_string(::getpid()) + name;
    std::ofstream(path) << text;
    files_.push_back(path);
    return path;
  }
  void TearDown() override {
    for (const std::string& path : files_) std::filesystem::remove(path);
  }

  std::map<std::string, std::string> environment{
      {"ORDO_ENDPOINT", "tcp://127.0.0.1:1"}, {"ORDO_TIMEOUT", "300ms"}, {"USER", "tester"}};

 private:
  std::vector<std::string> files_;
};

class CliWithBroker : public Cli {
 protected:
  CliWithBroker() {
    environment["ORDO_ENDPOINT"] = broker.endpoint();
    environment["ORDO_TIMEOUT"] = "10s";
  }
  std::string submitted(const std::string& payload = "x") {
    std::string id = ordo({"submit", "one", payload, "--quiet"}).out;
    if (!id.empty()) id.pop_back();
    return id;
  }

  FakeBroker broker;
};

TEST_F(CliWithBroker, GivesOrdersTheTraceOfFlagsOrEnvironment) {
  const std::string trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  const std::string parent = "00-" + trace_id + "-00f067aa0ba902b7-01";
  const auto trace_of = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"submit", "one", "x", "--output", "json"});
    const Outcome submitted = ordo(flags);
    EXPECT_EQ(submitted.code, 0) << submitted.err;
    const std::string id = json::parse(submitted.out).at("id");
    return json::parse(ordo({"get", id, "--output", "json"}).out);
  };
  EXPECT_FALSE(trace_of({}).contains("trace_id")) << "none is invented";
  const json flagged = trace_of({"--traceparent", parent, "--tracestate", "congo=t61"});
  EXPECT_EQ(flagged.value("trace_id", ""), trace_id);
  EXPECT_EQ(flagged.value("traceparent", ""), parent);
  EXPECT_EQ(flagged.value("tracestate", ""), "congo=t61");

  const Outcome begun = ordo({"submit", "one", "x", "--trace", "--output", "json"});
  const std::string drawn = json::parse(begun.out).at("traceparent");
  EXPECT_EQ(drawn.size(), parent.size());
  EXPECT_THAT(ordo({"submit", "one", "x", "--trace"}).out, HasSubstr("  traceparent 00-"));

  const std::string other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  environment["TRACEPARENT"] = parent;
  environment["TRACESTATE"] = "rojo=1";
  EXPECT_EQ(trace_of({}).value("tracestate", ""), "rojo=1");
  const json over = trace_of({"--traceparent", other});
  EXPECT_EQ(over.value("traceparent", ""), other) << "flags win";
  EXPECT_FALSE(over.contains("tracestate")) << "the variable's state is of another trace";

  const std::string lines = file("traced.jsonl", R"({"payload":"a"})"
                                                 "\n"
                                                 R"({"payload":"b","traceparent":")" +
                                                     other + "\"}\n");
  const Outcome many = ordo({"submit", "one", "--file", lines, "--output", "json"});
  const json ids = json::parse(many.out);
  ASSERT_EQ(ids.size(), 2u) << many.err;
  const auto view = [&](std::size_t at) {
    return json::parse(ordo({"get", ids[at].at("id"), "--output", "json"}).out);
  };
  EXPECT_EQ(view(0).value("traceparent", ""), parent);
  EXPECT_EQ(view(1).value("traceparent", ""), other);
  EXPECT_FALSE(view(1).contains("tracestate"));
}

TEST_F(CliWithBroker, RefusesAMalformedTraceButNotForAVariable) {
  const Outcome flag = ordo({"submit", "one", "x", "--traceparent", "00-x"});
  EXPECT_EQ(flag.code, 2);
  EXPECT_THAT(flag.err, HasSubstr("traceparent is not 00-TRACE-PARENT-FLAGS"));
  EXPECT_EQ(ordo({"submit", "one", "x", "--tracestate", "a=b"}).code, 2);
  environment["TRACEPARENT"] = "00-x";
  const Outcome variable = ordo({"submit", "one", "x"});
  EXPECT_EQ(variable.code, 0);
  EXPECT_THAT(variable.err, HasSubstr("TRACEPARENT is passed over"));
}

TEST_F(Cli, ExplainsUsageErrorsAndSuggests) {
  EXPECT_EQ(ordo({}).code, 2);
  const Outcome typo = ordo({"sumbit"});
  EXPECT_EQ(typo.code, 2);
  EXPECT_THAT(typo.err, HasSubstr("did you mean `ordo submit`?"));
  EXPECT_THAT(ordo({"ls", "--limmit", "3"}).err, HasSubstr("`--limit`"));
  EXPECT_THAT(ordo({"queue", "pase"}).err, HasSubstr("`ordo queue pause`"));
  const Outcome id = ordo({"get", "nonsense"});
  EXPECT_EQ(id.code, 2);
  EXPECT_THAT(id.err, HasSubstr("no order id"));
  EXPECT_EQ(ordo({"ls", "--output", "xml"}).code, 2);
  EXPECT_EQ(ordo({"retry", "018bcfe5-6800-7000-8000-000000000001"}).code, 2);  // no --why
}

TEST_F(Cli, HelpAndVersionSucceed) {
  EXPECT_THAT(ordo({"--help"}).out, HasSubstr("Exit codes"));
  EXPECT_THAT(ordo({"submit", "--help"}).out, HasSubstr("--payload-file"));
  EXPECT_THAT(ordo({"--version"}).out, HasSubstr("ordo "));
  EXPECT_TRUE(json::parse(ordo({"version", "--output", "json"}).out).contains("commit"));
}

TEST_F(Cli, SaysWhatIsUnreachableAndWhatToDo) {
  const Outcome got = ordo({"get", "018bcfe5-6800-7000-8000-000000000001"});
  EXPECT_EQ(got.code, 69);
  EXPECT_EQ(got.out, "");
  EXPECT_THAT(got.err, HasSubstr("why:"));
  EXPECT_THAT(got.err, HasSubstr("next:"));
  EXPECT_THAT(got.err, HasSubstr("tcp://127.0.0.1:1"));
  EXPECT_EQ(ordo({"submit", "one", "x"}).code, 69);
  EXPECT_EQ(ordo({"health", "--http", "http://127.0.0.1:1"}).code, 69);
  EXPECT_EQ(ordo({"ls", "--endpoint", "tcp://no port"}).code, 2);
  const Outcome top = ordo({"top", "--http", "http://127.0.0.1:1"});
  EXPECT_EQ(top.code, 69);
  EXPECT_THAT(top.out, HasSubstr("unknown"));
  EXPECT_EQ(ordo({"top", "--interval", "99ms"}).code, 2);
}

TEST_F(Cli, TakesFlagsBeforeVariablesBeforeTheFile) {
  const std::string path = file(".conf", "output = jsonl\ntimeout = 200ms\n");
  environment["ORDO_CONFIG"] = path;
  EXPECT_THAT(ordo({"version"}).out, HasSubstr("{\"version\""));
  environment["ORDO_OUTPUT"] = "text";
  EXPECT_THAT(ordo({"version"}).out, HasSubstr("ordo "));
  EXPECT_THAT(ordo({"version", "-o", "json"}).out, HasSubstr("\n  \"version\""));
}

TEST_F(Cli, ChecksPipelinesWithoutABroker) {
  const std::string good = file("good.yaml", "pipeline: p\nversion: 1\nsteps:\n  a: {}\n");
  const std::string bad = file("bad.yaml", "pipeline: p\nversion: 1\nsteps:\n  a: { after: b }\n");
  EXPECT_EQ(ordo({"pipeline", "check", good}).code, 0);
  const Outcome wrong = ordo({"pipeline", "check", good, bad});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.err, HasSubstr(bad + ":4:"));
  const json problems = json::parse(ordo({"pipeline", "check", bad, "-o", "json"}).out);
  EXPECT_EQ(problems.at(0).at("line"), 4);
}

TEST_F(Cli, TellsAFileThatCannotBeReadByItsExitCode) {
  EXPECT_EQ(ordo({"pipeline", "check", "nowhere.yaml"}).code, 71);
  EXPECT_EQ(ordo({"submit", "one", "--payload-file", "/nowhere"}).code, 71);
  EXPECT_EQ(ordo({"submit", "one", "--file", "/nowhere"}).code, 71);
  const Outcome folder = ordo({"pipeline", "check", testing::TempDir()});
  EXPECT_EQ(folder.code, 71);
  EXPECT_THAT(folder.err, HasSubstr("Is a directory"));
}

TEST_F(Cli, RefusesWhatWouldBeIgnored) {
  const Outcome both = ordo({"ls", "--customer", "c", "--parked"});
  EXPECT_EQ(both.code, 2);
  EXPECT_THAT(both.err, HasSubstr("excludes"));
  const Outcome line = ordo({"submit", "--file", "-"}, "{}\n");
  EXPECT_THAT(line.err, HasSubstr("no PIPELINE on the command line"));
}

TEST_F(Cli, PrintsOneDocumentAndReadsStdinOnceWhenItApplies) {
  const std::string bad = "pipeline: p\nversion: 1\nsteps:\n  a: { after: b }\n";
  const Outcome wrong = ordo({"pipeline", "apply", "-", "-o", "json"}, bad);
  EXPECT_EQ(wrong.code, 1);
  EXPECT_EQ(json::parse(wrong.out).at(0).at("file"), "-");
  const std::string good = "pipeline: p\nversion: 1\nsteps:\n  a: {}\n";
  const Outcome unreachable = ordo({"pipeline", "apply", "-", "-o", "json"}, good);
  EXPECT_EQ(unreachable.code, 69) << unreachable.err;
  EXPECT_EQ(unreachable.out, "");
}

TEST_F(Cli, DrawsPipelines) {
  const std::string source =
      file("g.yaml",
           "pipeline: p\nversion: 1\nsteps:\n  a: {}\n  b: { after: a }\n  c: { after: [a, b] }\n");
  EXPECT_THAT(ordo({"pipeline", "graph", source}).out, HasSubstr("c  <- a + b"));
  EXPECT_THAT(ordo({"pipeline", "graph", source, "--format", "mermaid"}).out,
              HasSubstr("s1 --> s2"));
  EXPECT_THAT(ordo({"pipeline", "graph", source, "--format", "dot"}).out,
              HasSubstr("\"a\" -> \"b\""));
}

TEST_F(Cli, CompletesInThreeShells) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Outcome script = ordo({"completion", shell});
    EXPECT_EQ(script.code, 0) << shell;
    EXPECT_THAT(script.out, HasSubstr("ordo queue pause")) << shell;
  }
  // What bash offers behind `ordo queue p` is what a person would pick from.
  const std::string path = file("completion", ordo({"completion", "bash"}).out);
  const Outcome offered = test::run_program(
      {.program = "/bin/bash",
       .arguments = {"-c", "source " + path +
                               "; COMP_WORDS=(ordo queue pa); COMP_CWORD=2; _ordo; "
                               "echo \"${COMPREPLY[@]}\""}});
  EXPECT_EQ(offered.out, "pause\n") << offered.err;
}

TEST_F(CliWithBroker, SubmitsOneOrderAndShowsIt) {
  const Outcome text = ordo({"submit", "one", "hello", "--label", "shop=berlin"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("durable"));
  const std::string id = submitted("hello");
  const json order = json::parse(ordo({"get", id, "-o", "json"}).out);
  EXPECT_EQ(order.at("id"), id);
  EXPECT_EQ(order.at("payload"), "hello");
  EXPECT_THAT(ordo({"get", id}).out, HasSubstr("STEP"));
  EXPECT_THAT(ordo({"get", id}).out, Not(HasSubstr("\x1b[")));
  EXPECT_THAT(ordo({"get", id, "--color", "always"}).out, HasSubstr("\x1b["));
}

TEST_F(CliWithBroker, WaitsAndTellsHowItEnded) {
  EXPECT_EQ(ordo({"submit", "one", "x", "--wait", "end"}).code, 0);
  const json step = json::parse(ordo({"submit", "one", "x", "--wait", "only", "-o", "json"}).out);
  EXPECT_EQ(step.at("result"), "42");
  const Outcome late = ordo({"submit", "one", "slow", "--wait", "end", "--timeout", "200ms"});
  EXPECT_EQ(late.code, 5);
  EXPECT_THAT(late.out, HasSubstr("not that far in time"));
}

TEST_F(CliWithBroker, SubmitsLinesFromStdinWithAnAnswerEach) {
  std::string lines;
  for (int i = 0; i < 300; ++i) lines += "{\"payload\": {\"n\": " + std::to_string(i) + "}}\n";
  const Outcome good = ordo({"submit", "one", "--file", "-", "-o", "jsonl"}, lines);
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_EQ(std::count(good.out.begin(), good.out.end(), '\n'), 300);
  EXPECT_EQ(broker.orders.load(), 300U);
  const Outcome bad = ordo({"submit", "one", "--file", "-", "-o", "json"},
                           "{\"payload\": 1}\n\n{\"prioritty\": 1}\nnonsense\n");
  EXPECT_EQ(bad.code, 1);
  const json answers = json::parse(bad.out);
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers.at(0).at("line"), 3);  // known at once; the others when they are answered
  EXPECT_EQ(answers.at(0).at("error").at("reason"), "bad_line");
}

TEST_F(Cli, MakesListsAndRevokesKeysWithoutABroker) {
  const std::string folder = testing::TempDir() + "ordo-cli-keys-" + std::to_string(::getpid());
  std::filesystem::create_directory(folder);
  environment["ORDO_KEYS"] = folder + "/ring";
  const std::string secret = folder + "/packer.key";
  const Outcome made = ordo({"keys", "new", "--role", "worker", "--name", "packer", "--queues",
                             "pack,print-*", "--out", secret, "-o", "json"});
  EXPECT_EQ(made.code, 0) << made.err;
  const json key = json::parse(made.out);
  EXPECT_EQ(key.at("role"), "worker");
  EXPECT_EQ(key.at("queues"), (json{"pack", "print-*"}));
  EXPECT_EQ(key.at("key").get<std::string>().size(), 40U);
  EXPECT_EQ(std::filesystem::status(secret).permissions(), std::filesystem::perms(0600));
  // A name and a file are taken once.
  EXPECT_EQ(ordo({"keys", "new", "--role", "client", "--name", "x", "--out", secret}).code, 71);
  const std::string other = folder + "/other.key";
  EXPECT_EQ(ordo({"keys", "new", "--role", "client", "--name", "packer", "--out", other}).code, 1);
  EXPECT_FALSE(std::filesystem::exists(other));
  EXPECT_EQ(ordo({"keys", "new", "--role", "king", "--name", "x", "--out", other}).code, 2);
  EXPECT_EQ(ordo({"keys", "new", "--role", "client", "--out", other}).code, 2);

  EXPECT_EQ(ordo({"keys", "revoke", "packer"}).code, 2);
  EXPECT_EQ(ordo({"keys", "revoke", "packer", "--yes"}).code, 0);
  EXPECT_EQ(ordo({"keys", "revoke", "nobody", "--yes"}).code, 4);
  const json listed = json::parse(ordo({"keys", "ls", "-o", "json"}).out);
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed.at(0).at("revoked"), true);
  EXPECT_THAT(ordo({"keys", "ls"}).out, HasSubstr("revoked"));

  const std::string broker = folder + "/broker.key";
  EXPECT_EQ(ordo({"keys", "new", "--role", "broker", "--out", broker}).code, 0);
  EXPECT_TRUE(std::filesystem::exists(broker + ".pub"));
  EXPECT_EQ(json::parse(ordo({"keys", "ls", "-o", "json"}).out).size(), 1U);
  environment["ORDO_KEYS"] = folder + "/none";
  EXPECT_EQ(ordo({"keys", "ls"}).code, 71);
  std::filesystem::remove_all(folder);
}

TEST_F(Cli, SaysWhatIsWrongWithItsOwnKey) {
  environment["ORDO_KEY_FILE"] = file("open.key", "no key");
  const Outcome half = ordo({"queue", "ls"});
  EXPECT_EQ(half.code, 2);
  EXPECT_THAT(half.err, HasSubstr("key_file is given without broker_key"));
}

TEST_F(CliWithBroker, TellsNotFoundByItsExitCode) {
  const Outcome got = ordo({"get", "018bcfe5-6800-7000-8000-000000000001"});
  EXPECT_EQ(got.code, 4);
  EXPECT_THAT(got.err, HasSubstr("unknown_order"));
}

TEST_F(CliWithBroker, ListsExplainsAndWatches) {
  const std::string id = submitted();
  EXPECT_THAT(ordo({"ls", "-q"}).out, HasSubstr(id));
  EXPECT_EQ(json::parse(ordo({"ls", "-o", "json"}).out).size(), 1U);
  EXPECT_EQ(ordo({"explain", id}).out.find("it waits for a worker\n  - "), 0U);
  const Outcome watched = ordo({"watch", id, "--after", "2", "-o", "jsonl"});
  EXPECT_EQ(json::parse(watched.out).at("seq"), 3);
  EXPECT_THAT(ordo({"queue", "ls"}).out, HasSubstr("only"));
}

TEST_F(CliWithBroker, AsksBeforeWhatCannotBeTakenBack) {
  const std::string id = submitted();
  const Outcome refused = ordo({"cancel", id, "--why", "test"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--yes"));
  EXPECT_EQ(ordo({"cancel", id, "--why", "test", "--yes"}).code, 0);
  EXPECT_EQ(ordo({"retry", id, "only", "--why", "test"}).code, 0);
  const Outcome which = ordo({"retry", id, "--why", "test"});
  EXPECT_EQ(which.code, 2);
  EXPECT_THAT(which.err, HasSubstr("no step of the order is parked"));
}

}  // namespace
}  // namespace ordo
