#include "tests/support/postgres_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

namespace ordo::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A start replays WAL after a kill; on two busy cores that has taken seconds, never a minute.
constexpr auto kStartPatience = 60s;
constexpr auto kStopPatience = 30s;
constexpr auto kPollEvery = 10ms;

/// Whom the server runs as: nothing when we are not root.
struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
};

std::optional<Account> unprivileged_account() {
  if (::geteuid() != 0) return std::nullopt;
  for (const char* name : {"postgres", "nobody"}) {
    if (const passwd* entry = ::getpwnam(name)) return Account{entry->pw_uid, entry->pw_gid};
  }
  return Account{65534, 65534};
}

/// In the child, before exec: only calls that are safe between fork and exec.
void become(const std::optional<Account>& account) {
  if (!account) return;
  if (::setgroups(0, nullptr) != 0 || ::setgid(account->gid) != 0 || ::setuid(account->uid) != 0) {
    ::_exit(71);
  }
}

struct Spawn {
  std::vector<std::string> argv;
  std::string log;     ///< where its output is appended
  std::string folder;  ///< its working directory: one that the account may enter
  bool dies_with_us = false;
};

pid_t spawn(const Spawn& what) {
  std::vector<char*> argv;
  for (const auto& word : what.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const auto account = unprivileged_account();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  // A session of its own: the terminal's ^C is for the program that started us, which then stops
  // the server.
  ::setsid();
  const int log = ::open(what.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  const int null = ::open("/dev/null", O_RDONLY);
  if (log < 0 || null < 0) ::_exit(71);
  ::dup2(null, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  ::close_range(3, ~0U, 0);
  become(account);
  if (::chdir(what.folder.c_str()) != 0) ::_exit(71);
  // After the change of user, which clears it.
  if (what.dies_with_us) {
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (::getppid() != parent) ::_exit(71);
  }
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string find_bin() {
  if (const char* given = std::getenv("ORDO_PG_BIN")) return given;
  std::string best;
  int best_version = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version > best_version && fs::exists(entry.path() / "bin/initdb")) {
      best = (entry.path() / "bin").string();
      best_version = version;
    }
  }
  if (!best.empty()) return best;
  const char* path = std::getenv("PATH");
  std::string rest = path ? path : "";
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const std::string folder = rest.substr(0, colon);
    if (!folder.empty() && fs::exists(folder + "/initdb")) return folder;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return {};
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  const bool good = ::bind(fd, plain, size) == 0 && ::getsockname(fd, plain, &size) == 0;
  ::close(fd);
  return good ? ntohs(address.sin_port) : std::uint16_t{0};
}

/// The children of a process, as the kernel lists them.
std::vector<pid_t> children_of(pid_t pid) {
  std::ifstream list("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
  std::vector<pid_t> found;
  for (pid_t child = 0; list >> child;) found.push_back(child);
  return found;
}

using Settings = std::vector<std::pair<std::string, std::string>>;

Settings base_settings(const PostgresOptions& options, const std::string& folder) {
  Settings all{{"listen_addresses", "'127.0.0.1'"},
               {"port", std::to_string(options.port)},
               {"unix_socket_directories", "'" + folder + "'"},
               {"max_connections", "100"},
               {"logging_collector", "off"},
               {"log_min_messages", "warning"},
               {"timezone", "'UTC'"},
               {"jit", "off"},
               {"autovacuum_naptime", "5s"},
               {"max_wal_senders", "0"}};
  const Settings quick{{"fsync", "off"},
                       {"full_page_writes", "off"},
                       {"synchronous_commit", "on"},
                       {"shared_buffers", "64MB"}};
  const Settings durable{{"fsync", "on"},
                         {"full_page_writes", "on"},
                         {"synchronous_commit", "on"},
                         {"shared_buffers", "2GB"},
                         {"max_wal_size", "16GB"},
                         {"min_wal_size", "4GB"},
                         {"checkpoint_timeout", "5min"},
                         {"checkpoint_completion_target", "0.9"},
                         {"wal_buffers", "64MB"}};
  const Settings& chosen = options.is_durable ? durable : quick;
  all.insert(all.end(), chosen.begin(), chosen.end());
  all.insert(all.end(), options.settings.begin(), options.settings.end());
  return all;
}

}  // namespace

Result<std::unique_ptr<PostgresServer>> PostgresServer::create(PostgresOptions options) {
  std::unique_ptr<PostgresServer> server(new PostgresServer(std::move(options)));
  server->bin_ = find_bin();
  if (server->bin_.empty()) {
    return fail(Code::kUnavailable, "postgres_missing",
                "no PostgreSQL server was found: install postgresql-15 or set ORDO_PG_BIN");
  }
  if (server->options_.port == 0) server->options_.port = free_port();
  if (auto made = server->make_cluster(); !made) return tl::unexpected(made.error());
  if (auto started = server->start(); !started) return tl::unexpected(started.error());
  return server;
}

PostgresServer& PostgresServer::shared() {
  static const std::unique_ptr<PostgresServer> server = [] {
    auto made = create();
    if (!made) {
      std::fprintf(stderr, "PostgreSQL does not start: %s\n", made.error().message.c_str());
      std::exit(71);
    }
    return std::move(*made);
  }();
  return *server;
}

PostgresServer::~PostgresServer() {
  stop();
  std::error_code none;
  if (is_temporary_) fs::remove_all(folder_, none);
}

Result<void> PostgresServer::make_cluster() {
  folder_ = options_.folder;
  if (folder_.empty()) {
    const char* base = std::getenv("TMPDIR");
    // A unix socket's path holds 107 bytes: a long TMPDIR would not do.
    const std::string place = base && std::string(base).size() < 60 ? base : "/tmp";
    std::string pattern = place + "/ordo_pg_XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      return fail(Code::kUnavailable, "folder", "cannot make a folder in " + place);
    }
    folder_ = pattern;
    is_temporary_ = true;
  } else {
    folder_ = fs::absolute(folder_).string();
    fs::create_directories(folder_);
  }
  if (const auto account = unprivileged_account()) {
    if (::chown(folder_.c_str(), account->uid, account->gid) != 0) {
      return fail(Code::kUnavailable, "folder", "cannot give " + folder_ + " away");
    }
  }
  if (!fs::exists(folder_ + "/data/PG_VERSION")) {
    const pid_t pid = spawn({.argv = {bin_ + "/initdb", "-D", folder_ + "/data", "-U", "ordo", "-A",
                                      "trust", "-E", "UTF8", "--no-locale", "--no-sync"},
                             .log = folder_ + "/log",
                             .folder = folder_});
    if (pid < 0 || wait_for(pid) != 0) {
      return fail(Code::kUnavailable, "initdb", "initdb failed: " + log_tail());
    }
  }
  std::ofstream conf(folder_ + "/data/ordo.conf");
  for (const auto& [name, value] : base_settings(options_, folder_)) {
    conf << name << " = " << value << "\n";
  }
  conf.close();
  fs::permissions(folder_ + "/data/ordo.conf", fs::perms{0644});
  std::ofstream main_conf(folder_ + "/data/postgresql.conf");
  main_conf << "include 'ordo.conf'\n";
  return {};
}

Result<void> PostgresServer::start() {
  if (is_running()) return {};
  // A postmaster that was killed leaves its pid file: ours cannot run any more, so it tells
  // nothing.
  std::error_code none;
  fs::remove(folder_ + "/data/postmaster.pid", none);
  pid_ = spawn({.argv = {bin_ + "/postgres", "-D", folder_ + "/data"},
                .log = folder_ + "/log",
                .folder = folder_,
                .dies_with_us = true});
  if (pid_ < 0) return fail(Code::kUnavailable, "fork", "cannot start a process");
  return wait_until_ready();
}

Result<void> PostgresServer::wait_until_ready() {
  const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    // The eighth line of its pid file is the postmaster's status.
    std::ifstream file(folder_ + "/data/postmaster.pid");
    std::string line;
    for (int i = 0; i < 8 && std::getline(file, line); ++i) {
    }
    if (file && line.starts_with("ready")) return {};
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return fail(Code::kUnavailable, "postgres", "PostgreSQL ended at once: " + log_tail());
    }
    std::this_thread::sleep_for(kPollEvery);
  }
  kill9();
  return fail(Code::kUnavailable, "postgres", "PostgreSQL is not ready in time: " + log_tail());
}

void PostgresServer::stop() {
  if (!is_running()) return;
  ::kill(pid_, SIGINT);
  const auto deadline = std::chrono::steady_clock::now() + kStopPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return;
    }
    std::this_thread::sleep_for(kPollEvery);
  }
  kill9();
}

void PostgresServer::freeze() {
  ::kill(pid_, SIGSTOP);  // first, so that it cannot start children while they are listed
  for (const pid_t child : children_of(pid_)) ::kill(child, SIGSTOP);
}

void PostgresServer::thaw() {
  for (const pid_t child : children_of(pid_)) ::kill(child, SIGCONT);
  ::kill(pid_, SIGCONT);
}

void PostgresServer::kill9() {
  if (!is_running()) return;
  // Stopped first, so that it cannot start children while they are listed.
  ::kill(pid_, SIGSTOP);
  const auto children = children_of(pid_);
  ::kill(pid_, SIGKILL);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  wait_for(pid_);
  pid_ = -1;
  // They are not our children: gone when their number no longer answers.
  for (const pid_t child : children) {
    while (::kill(child, 0) == 0 && !children.empty()) {
      std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
      std::string text((std::istreambuf_iterator<char>(stat)), {});
      if (text.find(") Z ") != std::string::npos || text.empty()) break;
      std::this_thread::sleep_for(kPollEvery);
    }
  }
}

Result<void> PostgresServer::kill9_and_restart() {
  kill9();
  return start();
}

Result<std::string> PostgresServer::create_database(const std::string& prefix,
                                                    const std::string& original) {
  const std::string name =
      prefix + "_" + std::to_string(::getpid()) + "_" + std::to_string(++databases_);
  const pid_t pid =
      spawn({.argv = {bin_ + "/createdb", "-h", folder_, "-p", std::to_string(options_.port), "-U",
                      "ordo", "-T", original, name},
             .log = folder_ + "/log",
             .folder = folder_});
  if (pid < 0 || wait_for(pid) != 0) {
    return fail(Code::kUnavailable, "createdb", "cannot create " + name + ": " + log_tail());
  }
  return dsn(name);
}

std::string PostgresServer::dsn(const std::string& database) const {
  return "host=127.0.0.1 port=" + std::to_string(options_.port) + " user=ordo dbname=" + database;
}

std::string PostgresServer::socket_dsn(const std::string& database) const {
  return "host=" + folder_ + " port=" + std::to_string(options_.port) +
         " user=ordo dbname=" + database;
}

std::string PostgresServer::log_tail() const {
  std::ifstream log(folder_ + "/log");
  std::string text((std::istreambuf_iterator<char>(log)), {});
  constexpr std::size_t kTail = 2000;
  return text.size() > kTail ? text.substr(text.size() - kTail) : text;
}

}  // namespace ordo::testing
