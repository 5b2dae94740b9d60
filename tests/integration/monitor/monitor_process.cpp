#include "tests/integration/monitor/monitor_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/support/process_files.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using std::chrono_literals::operator""s;

std::string authorization(const std::optional<std::string>& token) {
  return token ? "Authorization: Bearer " + *token + "\r\n" : "";
}

}  // namespace

std::string HttpSaid::reason() const {
  const auto said = json();
  return said.is_object() && said.contains("error") ? said["error"].value("reason", "") : "";
}

MonitorProcess::MonitorProcess(std::vector<std::string> flags)
    : folder_(temporary_folder("monitor")) {
  std::ofstream(token_file()) << "ann operator " << kOperator << "\nbob observer " << kObserver
                              << "\n";
  std::filesystem::permissions(token_file(), std::filesystem::perms{0600});
  const std::string endpoints = folder_ + "/endpoints";
  flags.insert(flags.end(), {"--tokens", token_file(), "--listen-http", "127.0.0.1:0",
                             "--endpoints-file", endpoints});
  auto child = ChildProcess::start(
      {.program = program_path("ordo-monitor"), .arguments = flags, .log = folder_ + "/log"});
  if (!child) give_up(child.error().message, {});
  process_.emplace(*std::move(child));
  const bool is_up = wait_until(
      20s, [&] { return std::filesystem::exists(endpoints) || !process_->is_running(); });
  if (!is_up || !process_->is_running()) give_up("ordo-monitor does not start", log());
  const std::string url = nlohmann::json::parse(read_file(endpoints)).at("http");
  address_ = url.substr(url.find("//") + 2);
}

MonitorProcess::~MonitorProcess() {
  if (process_) process_->stop();
  std::filesystem::remove_all(folder_);
}

std::string MonitorProcess::log() const { return read_file(folder_ + "/log"); }

HttpSaid MonitorProcess::get(const std::string& path,
                             const std::optional<std::string>& token) const {
  return raw("GET " + path + " HTTP/1.1\r\nHost: " + address_ + "\r\n" + authorization(token) +
             "\r\n");
}

HttpSaid MonitorProcess::post(const std::string& path, nlohmann::json body,
                              const std::optional<std::string>& token) const {
  if (body.is_object() && !body.contains("why")) body["why"] = "a test";
  const std::string text = body.dump();
  return raw("POST " + path + " HTTP/1.1\r\nHost: " + address_ + "\r\n" + authorization(token) +
             "Content-Type: application/json\r\nContent-Length: " + std::to_string(text.size()) +
             "\r\n\r\n" + text);
}

HttpSaid MonitorProcess::raw(const std::string& request) const {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{30, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port =
      htons(static_cast<std::uint16_t>(std::stoi(address_.substr(address_.rfind(':') + 1))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string all;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    // Who is sent away early may hang up while we still write.
    std::size_t sent = 0;
    while (sent < request.size()) {
      const auto size = ::send(socket, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) break;
      sent += static_cast<std::size_t>(size);
    }
    char buffer[16384];
    for (ssize_t size = 1; size > 0;) {
      size = ::recv(socket, buffer, sizeof(buffer), 0);
      if (size > 0) all.append(buffer, static_cast<std::size_t>(size));
    }
  }
  ::close(socket);
  HttpSaid said;
  const std::size_t end = all.find("\r\n\r\n");
  if (end == std::string::npos) return said;
  said.head = all.substr(0, end + 2);
  said.body = all.substr(end + 4);
  said.status = std::atoi(said.head.c_str() + std::min<std::size_t>(9, said.head.size()));
  return said;
}

std::pair<int, std::string> run_monitor(const std::vector<std::string>& arguments) {
  const std::string folder = temporary_folder("monitor");
  auto child = ChildProcess::start(
      {.program = program_path("ordo-monitor"), .arguments = arguments, .log = folder + "/log"});
  if (!child) give_up(child.error().message, {});
  const auto code = child->wait(30s);
  if (!code) child->kill9();
  std::pair<int, std::string> ended{code.value_or(-1), read_file(folder + "/log")};
  std::filesystem::remove_all(folder);
  return ended;
}

}  // namespace ordo::testing
