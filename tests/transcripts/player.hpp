// Plays a story: turns its commands into events of the engine and collects what happens.
//
// Shapes:  README.md lists the commands. `given` alone at the head of a block: what follows happens
//          and prints nothing.
// Errors:  a command that cannot be played throws std::runtime_error with its line.
// Threads: one owner.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/transcripts/cast.hpp"
#include "tests/transcripts/stage.hpp"
#include "tests/transcripts/story.hpp"

namespace ordo::transcript {

/// `word plain plain name=value name='a value'`, and the lines below it that are indented.
struct Command {
  std::string word;
  std::vector<std::string> plain;
  std::map<std::string, std::string> named;
  std::string body;

  [[nodiscard]] const std::string& at(std::size_t index) const;
  [[nodiscard]] std::string get(const std::string& name, const std::string& otherwise = {}) const;
};

Command parse_command(const std::string& line);

class Player {
 public:
  Player() : stage_(cast_) {}

  /// What the block's commands print.
  Lines play(const Block& block);

 private:
  void act(const Command& command);
  bool act_as_operator(const Command& command);
  bool act_as_world(const Command& command);
  bool act_as_client(const Command& command);
  bool act_as_worker(const Command& command);

  void put_pipeline(const Command& command);
  void submit(const Command& command);
  void signal(const Command& command);
  void result(const Command& command);
  void hello(Peer& worker, const Command& command);
  void drain(const Command& command);
  void ask(const Command& command, Asked asked, wire::Message message);
  void say(Peer& peer, wire::Message message);
  [[nodiscard]] std::vector<wire::HeldTask> held(const Peer& worker, const std::string& list) const;

  Cast cast_;
  Stage stage_;
  Settings settings_;
};

/// The whole story: empty where everything is as told, else what differs, block by block. Fills in
/// `happened` with the story as it went. Throws where a command cannot be played.
std::string play(const Story& story, Story& happened);

}  // namespace ordo::transcript
