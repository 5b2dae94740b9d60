// Certificates are checked: a real TLS service whose certificate is made here.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/process_files.hpp"
#include "tests/unit/executor/attempt.hpp"

namespace ordo::executor {
namespace {

using Kind = TaskOutcome::Kind;

/// A certificate for 127.0.0.1 that vouches for itself, and its key, as files.
struct Identity {
  explicit Identity(const std::string& folder, const std::string& name)
      : certificate(folder + "/" + name + ".crt"), key(folder + "/" + name + ".key") {
    constexpr long kDay = 86'400;
    EVP_PKEY* const pair = EVP_EC_gen("P-256");
    X509* const x509 = X509_new();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -kDay);
    X509_gmtime_adj(X509_getm_notAfter(x509), kDay);
    X509_set_pubkey(x509, pair);
    X509_NAME* const subject = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x509, subject);
    for (const auto& [kind, value] : {std::pair{NID_basic_constraints, "critical,CA:TRUE"},
                                      std::pair{NID_subject_alt_name, "IP:127.0.0.1"}}) {
      X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
      X509_add_ext(x509, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(x509, pair, EVP_sha256());
    FILE* file = std::fopen(certificate.c_str(), "w");
    PEM_write_X509(file, x509);
    std::fclose(file);
    file = std::fopen(key.c_str(), "w");
    PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(x509);
    EVP_PKEY_free(pair);
  }

  std::string certificate, key;
};

/// Answers each request with the name in the client's certificate, or "nobody".
class TlsService {
 public:
  explicit TlsService(const Identity& own, const std::string& clients = {})
      : context_(SSL_CTX_new(TLS_server_method())),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    SSL_CTX_use_certificate_file(context_, own.certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_, own.key.c_str(), SSL_FILETYPE_PEM);
    if (!clients.empty()) {
      SSL_CTX_load_verify_locations(context_, clients.c_str(), nullptr);
      SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    const bool listens = ::bind(listener_, general, size) == 0 && ::listen(listener_, 8) == 0 &&
                         ::getsockname(listener_, general, &size) == 0;
    EXPECT_TRUE(listens);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~TlsService() {
    must_stop_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    SSL_CTX_free(context_);
  }
  TlsService(const TlsService&) = delete;
  TlsService& operator=(const TlsService&) = delete;

  [[nodiscard]] std::string port() const { return std::to_string(port_); }
  [[nodiscard]] int requests() const { return requests_; }

 private:
  void serve() {
    while (!must_stop_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      SSL* const tls = SSL_new(context_);
      SSL_set_fd(tls, fd);
      if (SSL_accept(tls) == 1) answer(tls);
      SSL_free(tls);
      ::close(fd);
    }
  }
  void answer(SSL* tls) {
    std::array<char, 4096> bytes{};
    if (SSL_read(tls, bytes.data(), static_cast<int>(bytes.size())) <= 0) return;
    ++requests_;
    std::string name = "nobody";
    if (X509* const peer = SSL_get1_peer_certificate(tls)) {
      X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, bytes.data(),
                                static_cast<int>(bytes.size()));
      name = bytes.data();
      X509_free(peer);
    }
    const std::string text =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(name.size()) +
        "\r\n\r\n" + name;
    SSL_write(tls, text.data(), static_cast<int>(text.size()));
    SSL_shutdown(tls);
  }

  SSL_CTX* const context_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> must_stop_{false};
  std::atomic<int> requests_{0};
  std::jthread thread_;
};

class Tls : public ::testing::Test {
 public:
  ~Tls() override { std::filesystem::remove_all(folder_); }

 protected:
  Tls() : folder_(ordo::testing::temporary_folder("executor-tls")), bank_(folder_, "bank") {}

  static TaskOutcome call(const std::string& url, const std::string& more = {}) {
    return attempt(Executor(config_of("services:\n  bank: { url: \"" + url + "\"" + more +
                                      " }\nsteps:\n  charge: { service: bank }\n")));
  }

  const std::string folder_;
  const Identity bank_;
};

TEST_F(Tls, RefusesACertificateThatNobodyVouchesFor) {
  TlsService service(bank_);
  const TaskOutcome outcome = call("https://127.0.0.1:" + service.port());
  EXPECT_EQ(outcome.kind, Kind::kTransient);
  EXPECT_NE(outcome.error.find("certificate"), std::string::npos) << outcome.error;
  EXPECT_EQ(service.requests(), 0);
}

TEST_F(Tls, TakesOneThatTheFileVouchesForAndOnlyUnderItsName) {
  TlsService service(bank_);
  const std::string ca = ", ca: " + bank_.certificate;
  EXPECT_EQ(call("https://127.0.0.1:" + service.port(), ca).result, "nobody");
  const TaskOutcome other = call("https://localhost:" + service.port(), ca);
  EXPECT_EQ(other.kind, Kind::kTransient);
  EXPECT_EQ(service.requests(), 1);
}

TEST_F(Tls, ShowsItsOwnWhereItHasOne) {
  const Identity worker(folder_, "worker");
  TlsService service(bank_, worker.certificate);
  const std::string url = "https://127.0.0.1:" + service.port();
  const std::string ca = ", ca: " + bank_.certificate;
  EXPECT_NE(call(url, ca).kind, Kind::kSucceeded);
  EXPECT_EQ(service.requests(), 0);
  const TaskOutcome outcome =
      call(url, ca + ", certificate: " + worker.certificate + ", certificate_key: " + worker.key);
  EXPECT_EQ(outcome.result, "worker") << outcome.error;
}

}  // namespace
}  // namespace ordo::executor
