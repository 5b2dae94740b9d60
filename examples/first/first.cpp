#include <iostream>
#include <ordo/client.hpp>
#include <ordo/worker.hpp>
#include <string>

int main(int argc, char** argv) {
  const std::string clients = argc > 2 ? argv[1] : "tcp://127.0.0.1:7700";
  const std::string workers = argc > 2 ? argv[2] : "tcp://127.0.0.1:7701";

  ordo::client::Client client({.endpoints = {clients}});
  const auto stored = client.put_pipeline(R"(
pipeline: greeting
version: 1
steps:
  greet: { timeout: 5s, retry: { attempts: 3 } }
  shout: { after: greet }
)");
  if (!stored) return std::cerr << stored.error().message << '\n', 1;

  ordo::Worker worker({.brokers = {workers}, .slots = 4});
  worker.on("greet", [](ordo::Task& task) {
    return ordo::succeeded("hello " + std::string(task.payload()));
  });
  worker.on("shout", [](ordo::Task& task) {
    const auto greeting = task.result("greet");
    if (!greeting) return ordo::permanent("there is no greeting");
    return ordo::succeeded(std::string(*greeting) + "!");
  });
  if (const auto started = worker.start(); !started) return 2;

  const auto done = client.submit_and_wait({.pipeline = "greeting", .payload = "world"},
                                           {.until = ordo::client::Until::kStep, .step = "shout"});
  if (!done) return std::cerr << done.error().message << '\n', 1;
  std::cout << done->step_state << ": " << done->result << '\n';

  worker.stop();
  return worker.wait();
}
