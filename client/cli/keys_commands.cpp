// ordo keys new|ls|revoke: the broker's keyring and the secret keys that go with it. They work on
// files alone and need no broker.
#include <unistd.h>

#include <iostream>

#include "base/config_text.hpp"
#include "base/key_file.hpp"
#include "base/keyring.hpp"
#include "client/cli/commands.hpp"
#include "ordo/key_pair.hpp"

namespace ordo::cli {
namespace {

struct Nothing {};
struct NewOptions {
  std::string role, name, queues, pipelines, out;
};
struct RevokeOptions {
  std::string name;
};

/// A key for the broker itself stands in no keyring.
constexpr const char* kBroker = "broker";

int failed(const std::string& what, const Error& error) {
  complain(what, error.message);
  // What the system refuses here are files, not brokers.
  return error.code == Code::kUnavailable ? int{kRefused} : int{exit_code_of(error)};
}

Json to_json(const Key& key) {
  return {{"name", key.name},     {"role", to_string(key.role)}, {"key", key.public_key},
          {"queues", key.queues}, {"pipelines", key.pipelines},  {"revoked", key.is_revoked}};
}

/// Writes the secret key and, with `line`, the keyring's line; without one the public key beside
/// it.
Result<void> write_key(const Shell& shell, const NewOptions& options, const KeyPair& pair,
                       const Key* line) {
  const std::string remark =
      "key of " + (options.name.empty() ? options.role : options.role + " " + options.name);
  if (auto written = write_key_pair(options.out, pair, remark + ": keep it secret"); !written) {
    return written;
  }
  auto told = line != nullptr ? add_to_keyring(shell.settings().keyring, *line)
                              : write_public_key(options.out + ".pub", pair, remark);
  // A secret that opens nothing would only lie about.
  if (!told) ::unlink(options.out.c_str());
  return told;
}

int make_key(Shell& shell, const NewOptions& options) {
  const bool is_broker = options.role == kBroker;
  if (!is_broker && options.name.empty()) {
    complain("a key wants a name", "the keyring and what a broker says call it by that",
             "add --name, as in --name checkout");
    return kUsage;
  }
  const auto drawn = client::draw_key();
  if (!drawn) return failed("cannot make a key", drawn.error());
  const KeyPair pair{drawn->public_key, drawn->secret_key};
  Key key{.name = options.name, .public_key = pair.public_key};
  if (!is_broker) key.role = *parse_role(options.role);
  key.queues = split_list(options.queues);
  key.pipelines = split_list(options.pipelines);
  if (auto written = write_key(shell, options, pair, is_broker ? nullptr : &key); !written) {
    return failed("cannot make the key", written.error());
  }
  Json json = to_json(key);
  if (is_broker) json = {{"role", kBroker}, {"key", pair.public_key}};
  json["file"] = options.out;
  shell.out().item(json, [&] {
    if (shell.out().is_quiet()) return;
    std::cout << "done: the secret key is in " << options.out
              << (is_broker ? ", the public one in " + options.out + ".pub"
                            : ", `" + options.name + "` stands in " + shell.settings().keyring)
              << '\n';
  });
  return kOk;
}

std::string rights_text(const Key& key) {
  const auto& rights = key.role == Role::kWorker ? key.queues : key.pipelines;
  if (key.role == Role::kOperator || key.role == Role::kObserver) return "-";
  return rights.empty() ? "all" : join(rights);
}

int list_keys(Shell& shell, const Nothing&) {
  const auto ring = Keyring::read(shell.settings().keyring);
  if (!ring) return failed("cannot list keys", ring.error());
  std::vector<Json> items;
  for (const Key& key : ring->keys()) items.push_back(to_json(key));
  shell.out().items(items, [&] {
    std::vector<std::vector<std::string>> rows{{"NAME", "ROLE", "STATE", "MAY", "KEY"}};
    for (const Key& key : ring->keys()) {
      rows.push_back({key.name, std::string(to_string(key.role)),
                      shell.out().state(key.is_revoked ? "revoked" : "ok"), rights_text(key),
                      key.public_key});
    }
    shell.out().table(rows);
  });
  return kOk;
}

int revoke_key(Shell& shell, const RevokeOptions& options) {
  if (!shell.confirms("revoke key " + options.name + "? whoever uses it is cut off")) {
    return kUsage;
  }
  const auto revoked = revoke_in_keyring(shell.settings().keyring, options.name);
  if (!revoked) return failed("cannot revoke the key", revoked.error());
  shell.out().item({{"name", options.name}, {"revoked", true}}, [&] {
    if (!shell.out().is_quiet()) std::cout << "done: " << options.name << " is revoked\n";
  });
  return kOk;
}

}  // namespace

void add_keys_commands(CLI::App& app, Commands& commands) {
  CLI::App* keys = app.add_subcommand("keys", "Keys of the sockets: new, ls, revoke");
  keys->require_subcommand(1);
  const auto made = std::make_shared<NewOptions>();
  CLI::App& make = add_command(*keys, commands,
                               {"new", "Make a key: its secret file and its line in the keyring"},
                               &make_key, made);
  make.add_option("--role", made->role, "Who will use it")
      ->required()
      ->check(CLI::IsMember({"client", "worker", "operator", "observer", kBroker}));
  make.add_option("--name", made->name, "What it is called, for all but a broker's");
  make.add_option("--queues", made->queues, "A worker's: the queues it may serve, `*` in names");
  make.add_option("--pipelines", made->pipelines,
                  "A client's: the pipelines it may submit to, `*` in names");
  make.add_option("--out", made->out, "File for the secret key; it must not be there yet")
      ->required();
  add_examples(make,
               "  ordo keys new --role broker --out broker.key\n"
               "  ordo keys new --role client --name checkout --out checkout.key");
  add_command(*keys, commands, {"ls", "The keys in the keyring"}, &list_keys,
              std::make_shared<Nothing>());
  const auto named = std::make_shared<RevokeOptions>();
  CLI::App& revoke =
      add_command(*keys, commands, {"revoke", "Cut a key off; brokers follow within a second"},
                  &revoke_key, named);
  revoke.add_option("name", named->name, "The key's name")->required();
}

}  // namespace ordo::cli
