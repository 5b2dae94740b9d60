// The configuration of ordo-worker: what it may say, and everything that may be wrong with it.
#include "worker/executor/config.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/process_files.hpp"

namespace ordo::executor {
namespace {

using namespace std::chrono_literals;

class ExecutorConfig : public ::testing::Test {
 public:
  ~ExecutorConfig() override { std::filesystem::remove_all(folder_); }

 protected:
  ExecutorConfig() : folder_(ordo::testing::temporary_folder("executor-config")) {}

  std::string file(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  /// Everything that is wrong, a line each; empty: nothing.
  static std::string wrong(const std::string& text) {
    const auto config = read_config(text);
    if (config) return {};
    std::string all;
    for (const Problem& problem : config.error()) all += problem.to_string("f") + "\n";
    return all;
  }

  const std::string folder_;
};

/// Every key there is.
std::string full_text(const std::string& token, const std::string& key, const std::string& older) {
  return R"(
worker:
  brokers: [broker-1:7701, broker-2:7701]
  key_file: /k
  broker_key: /b
  name: caller
  slots: 32
  take_ahead: 4
  drain_timeout: 50s
  hang_grace: 5s
  log_level: warn
  log_format: json
  listen_http: 127.0.0.1:0
  open_http: true
services:
  bank:
    url: https://bank.internal:8443/v1/
    in_flight: 3
    connect_timeout: 500ms
    timeout: 10s
    headers:
      Accept: application/json
      Authorization: { file: )" +
         token +
         R"(, before: "Bearer " }
    sign: [)" +
         key + ", " + older +
         R"(]
    ca: )" +
         token + R"(
    certificate: )" +
         token + R"(
    certificate_key: )" +
         token + R"(
    proxy: http://proxy:3128
steps:
  charge:
    service: bank
    queue: money
    method: PUT
    path: /charge?currency=eur
    headers: { X-Tenant: shop }
    body: payload
    content_type: text/csv
    answer: envelope
    answer_bytes: 4KiB
    error_bytes: 0
    timeout: 3s
    snooze: 20s
    statuses: { 409: succeeded, 4xx: transient }
  look: { service: bank, method: GET }
  label:
    run: [/bin/sh, -c, "exit 0"]
    folder: /tmp
    env: { TZ: UTC, TOKEN: { file: )" +
         token + R"( } }
    in_flight: 2
    stop_grace: 100ms
    exits: { 3: snooze, 0: unknown }
)";
}

TEST_F(ExecutorConfig, TakesEveryKeyOfTheWorker) {
  const std::string word = file("word", "0123456789abcdef\n");
  const auto config = read_config(full_text(word, word, word));
  ASSERT_TRUE(config) << config.error().front().to_string("f");
  EXPECT_EQ(config->worker.brokers, (std::vector<std::string>{"broker-1:7701", "broker-2:7701"}));
  EXPECT_EQ(config->worker.slots, 32U);
  EXPECT_EQ(config->worker.take_ahead, 4U);
  EXPECT_EQ(config->worker.drain_timeout, 50s);
  EXPECT_EQ(config->worker.log_level, LogLevel::kWarn);
  EXPECT_EQ(config->worker.log_format, LogFormat::kJson);
  EXPECT_TRUE(config->worker.open_http);
}

TEST_F(ExecutorConfig, TakesEveryKeyOfServicesAndSteps) {
  const auto config =
      read_config(full_text(file("token", "s3cret\n"), file("key", "0123456789abcdef\n"),
                            file("older", "fedcba9876543210\n")));
  ASSERT_TRUE(config) << config.error().front().to_string("f");
  const Service& bank = config->services.at(0);
  EXPECT_EQ(bank.url, "https://bank.internal:8443/v1");
  EXPECT_EQ(bank.in_flight, 3U);
  EXPECT_EQ(bank.timeout, 10s);
  EXPECT_EQ(bank.headers.at(1), (Named{"Authorization", "Bearer s3cret"}));
  EXPECT_EQ(bank.keys, (std::vector<std::string>{"0123456789abcdef", "fedcba9876543210"}));
  EXPECT_EQ(bank.proxy, "http://proxy:3128");
  const Step& charge = config->steps.at(0);
  EXPECT_EQ(charge.queue, "money");
  EXPECT_EQ(charge.body, Body::kPayload);
  EXPECT_EQ(charge.answer, Answer::kEnvelope);
  EXPECT_EQ(charge.answer_bytes, 4096U);
  EXPECT_EQ(charge.timeout, 3s);
  EXPECT_EQ(charge.snooze, 20s);
  const auto& http = std::get<HttpStep>(charge.action);
  EXPECT_EQ(http.path, "/charge?currency=eur");
  EXPECT_EQ(http.statuses,
            (std::map<int, Verdict>{{409, Verdict::kSucceeded}, {4, Verdict::kTransient}}));
  EXPECT_EQ(config->steps.at(1).body, Body::kNone) << "a GET has none";
  const Step& label = config->steps.at(2);
  EXPECT_EQ(label.body, Body::kPayload);
  const auto& program = std::get<ProgramStep>(label.action);
  EXPECT_EQ(program.arguments.at(2), "exit 0");
  EXPECT_EQ(program.variables.at(1), (Named{"TOKEN", "s3cret"}));
  EXPECT_EQ(program.exits.at(0), Verdict::kUnknown);
  EXPECT_EQ(program.exits.at(75), Verdict::kTransient);
}

TEST_F(ExecutorConfig, NamesPlaceAndRemedyOfWhatIsWrong) {
  struct Case {
    std::string text, says;
  };
  const std::string service = "services:\n  bank: { url: http://b }\n";
  const std::vector<Case> cases{
      {"", "f: the file is empty"},
      {"steps: 7", "f:1:8: `steps` is a map of names, not `7`"},
      {"services: {}\nsteps: {}", "there are no steps"},
      {"step: {}", "unknown key `step` of the configuration: did you mean `steps`?"},
      {"steps:\n  charge: {}", "f:2:3: the step `charge` names neither a service nor a program"},
      {service + "steps:\n  charge: { service: bank, run: [/bin/sh] }", "both a service and"},
      {service + "steps:\n  charge: { service: bnak }", "there is no service `bnak`: did you mean"},
      {service + "steps:\n  Charge!: { service: bank }", "Charge!"},
      {service + "steps:\n  charge: { service: bank, exits: {} }",
       "`exits` is a key of steps that run a program"},
      {"steps:\n  label: { run: [/bin/sh], path: /x }", "is a key of steps that call a service"},
      {"steps:\n  label: { run: [sh] }", "`run` is `sh`, which is not a program"},
      {"steps:\n  label: { run: [/no/such] }", "`run` is `/no/such`, which is not a program"},
      {"steps:\n  label: { run: [/tmp] }", "which is not a program"},
      {"steps:\n  label: { run: [] }", "`run` is a list of 1 to 64 texts"},
      {"steps:\n  label: { run: [/bin/sh], exits: { 200: snooze } }", "`200` is no exit code"},
      {"steps:\n  label: { run: [/bin/sh], env: { ORDO_STEP: x } }", "is set by ordo-worker"},
      {"steps:\n  label: { run: [/bin/sh], env: { A-B: x } }", "no name of a variable"},
      {"steps:\n  label: { run: [/bin/sh], folder: /no/such }", "which is not a folder"},
      {"services:\n  bank: {}\n", "the service `bank` has no `url`"},
      {"services:\n  bank: { url: ftp://b }\n", "`url` is `ftp://b`"},
      {"services:\n  bank: { url: \"http://u:p@b\" }\n", "credentials go into `headers`"},
      {"services:\n  bank: { url: \"http://b:0\" }\n", "`url` is"},
      {"services:\n  bank: { url: \"http://b:99999\" }\n", "`url` is"},
      {"services:\n  bank: { url: \"http://b/../x\" }\n", "`url` is"},
      {"services:\n  bank: { url: \"http://b?x=1\" }\n", "`url` is"},
      {"services:\n  bank: { url: \"http:///x\" }\n", "`url` is"},
      {"services:\n  bank: { url: http://b, in_flight: 0 }\n", "`in_flight`"},
      {"services:\n  bank: { url: http://b, timeout: 10 }\n", "give it a unit"},
      {"services:\n  bank: { url: http://b, certificate: /bin/sh }\n", "go together"},
      {"services:\n  bank: { url: http://b, ca: /no/such }\n", "which is not a file"},
      {"services:\n  bank: { url: http://b, headers: { Host: x } }\n", "is set by ordo-worker"},
      {"services:\n  bank: { url: http://b, headers: { ordo-step: x } }\n", "is set by"},
      {"services:\n  bank: { url: http://b, headers: { \"a b\": x } }\n", "no name of a header"},
      {"services:\n  bank: { url: http://b, headers: { A: \"x\\ny\" } }\n", "one line of text"},
      {"services:\n  bank: { url: http://b, headers: { A: { before: x } } }\n", "names no file"},
      {"services:\n  bank: { url: http://b, headers: { A: 1, a: 2 } }\n", "written twice"},
      {"services:\n  bank: { url: http://b }\n  bank: { url: http://c }\n", "written twice"},
      {"services:\n  bank: { url: http://b, sign: /no/such }\n", "/no/such"},
      {service + "steps:\n  c: { service: bank, path: charge }", "`path` is `charge`"},
      {service + "steps:\n  c: { service: bank, path: //evil/x }", "`path` is"},
      {service + "steps:\n  c: { service: bank, path: /a/../b }", "`path` is"},
      {service + "steps:\n  c: { service: bank, path: \"/{order}\" }", "nothing of an order"},
      {service + "steps:\n  c: { service: bank, method: FETCH }", "write POST, PUT"},
      {service + "steps:\n  c: { service: bank, method: GET, body: payload }", "has no body"},
      {service + "steps:\n  c: { service: bank, body: all }", "write one of envelope, payload"},
      {service + "steps:\n  c: { service: bank, answer_bytes: 1MiB }", "`answer_bytes` is `1MiB`"},
      {service + "steps:\n  c: { service: bank, statuses: { 99: snooze } }", "no HTTP status"},
      {service + "steps:\n  c: { service: bank, statuses: { 409: fine } }", "is no outcome"},
      {"worker: { slots: 0 }\n", "`slots`"},
      {"worker: { brokers: nowhere }\n", "`worker`: broker `nowhere`"},
      {"worker: { listen_http: \"0.0.0.0:1\" }\n", "refusing to serve HTTP"},
      {"worker: { log_level: loud }\n", "write debug, info, warn, error or off"}};
  for (const Case& its : cases) {
    const std::string all = wrong(its.text);
    EXPECT_NE(all.find(its.says), std::string::npos) << its.text << "\nsays\n" << all;
  }
}

TEST_F(ExecutorConfig, SaysAllThatIsWrongAtOnce) {
  const std::string all = wrong(
      "services:\n  bank: { url: ftp://b, colour: red }\nsteps:\n"
      "  one: { service: bank, path: x }\n  two: { run: [nothing] }\n");
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 4) << all;
  EXPECT_LT(all.find("f:2:"), all.find("f:4:"));
  EXPECT_LT(all.find("f:4:"), all.find("f:5:"));
}

TEST_F(ExecutorConfig, TakesSecretsFromFilesThatNobodyElseMayRead) {
  const auto with = [](const std::string& path) {
    return "services:\n  bank: { url: http://b, headers: { A: { file: " + path + " } } }\n" +
           "steps:\n  c: { service: bank }\n";
  };
  EXPECT_EQ(wrong(with(file("good", "word\n"))), "");
  EXPECT_NE(wrong(with(file("open", "word\n", 0644))).find(folder_ + "/open"), std::string::npos);
  EXPECT_NE(wrong(with(file("two", "word\nand more\n"))).find("not one line"), std::string::npos);
  EXPECT_NE(wrong(with(file("none", "\n"))).find("not one line"), std::string::npos);
  EXPECT_NE(wrong(with(file("long", std::string(5000, 'x')))).find("4 KiB"), std::string::npos);
  const auto key = [](const std::string& path) {
    return "services:\n  bank: { url: http://b, sign: " + path + " }\n" +
           "steps:\n  c: { service: bank }\n";
  };
  EXPECT_EQ(wrong(key(file("key", "0123456789abcdef\n"))), "");
  EXPECT_NE(wrong(key(file("short", "0123456789abcde\n"))).find("at least 16"), std::string::npos);
}

TEST_F(ExecutorConfig, RefusesAFileThatIsNoneOrTooLarge) {
  const auto says = [](const std::string& path) {
    const auto config = load_config(path);
    return config ? std::string() : config.error().front().to_string(path);
  };
  EXPECT_NE(says("/no/such").find("cannot be read"), std::string::npos);
  EXPECT_NE(says("/tmp"), "");
  const std::string large = "# " + std::string(limits::kPipelineBytes, 'x');
  EXPECT_NE(says(file("large", large)).find("larger than"), std::string::npos);
  EXPECT_NE(says(file("bytes", std::string("\xff\0\x01", 3))), "");
}

}  // namespace
}  // namespace ordo::executor
