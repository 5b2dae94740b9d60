#include <regex>
#include <set>

#include "tests/tidy/rules.hpp"

namespace ordo::tidy {
namespace {

struct Word {
  std::regex pattern;
  std::string why;
};

void search(const File& file, const std::string& text, const Word& word, Findings& findings) {
  const auto end = std::sregex_iterator();
  for (auto it = std::sregex_iterator(text.begin(), text.end(), word.pattern); it != end; ++it) {
    const auto offset = static_cast<std::size_t>(it->position());
    findings.push_back({file.path, line_at(text, offset), "'" + it->str() + "': " + word.why});
  }
}

const std::vector<Word>& core_words() {
  static const std::vector<Word> kWords{
      {std::regex("::now\\s*\\("), "a core is told the time"},
      {std::regex("\\bsleep\\w*"), "a core never waits"},
      {std::regex("\\bj?thread\\b|this_thread"), "a core has one caller at a time"},
      {std::regex("\\bmutex\\b|\\batomic\\b"), "a core has one caller at a time"},
      {std::regex("\\bs?rand\\s*\\(|random_device|random_seed"), "a core draws from the seed it is given"},
      {std::regex("\\bthrow\\b"), "a core returns what is expected and checks what is not"},
  };
  return kWords;
}

// The names of all variables and members of an unordered type in the files of one folder.
std::set<std::string> unordered_names(const Tree& tree, const std::string& folder) {
  // The type's closing '>' is followed by the name: type arguments nest, so they are matched loosely up to ';', '{' or '='.
  static const std::regex kDeclaration("unordered_(?:map|set|multimap|multiset)\\s*<[^;{=()]*>\\s*&?\\s*(\\w+)");
  std::set<std::string> names;
  for (const File& file : tree.files) {
    if (!file.path.starts_with(folder) || !is_source(file.path)) continue;
    const auto end = std::sregex_iterator();
    for (auto it = std::sregex_iterator(file.code.begin(), file.code.end(), kDeclaration); it != end;
         ++it) {
      names.insert((*it)[1].str());
    }
  }
  return names;
}

}  // namespace

Findings check_core_words(const Tree& tree) {
  Findings findings;
  for (const File& file : tree.files) {
    if (!is_core(file.path)) continue;
    for (const Word& word : core_words()) search(file, file.code, word, findings);
  }
  return findings;
}

Findings check_core_iteration(const Tree& tree) {
  Findings findings;
  for (const char* const folder : {"broker/core/", "worker/core/", "client/core/"}) {
    for (const std::string& name : unordered_names(tree, folder)) {
      const Word walk{std::regex("for\\s*\\([^;)]*:\\s*(\\w+(\\.|->))*" + name + "\\s*\\)|\\b" + name +
                                 "\\s*\\.\\s*c?begin\\s*\\("),
                      "walks an unordered container: its order is not the seed's"};
      for (const File& file : tree.files) {
        if (file.path.starts_with(folder) && is_source(file.path)) {
          search(file, file.code, walk, findings);
        }
      }
    }
  }
  return findings;
}

Findings check_leftovers(const Tree& tree) {
  // Written in two parts: this file is searched too.
  static const Word kLater{std::regex("\\b(TO" "DO|FIX" "ME|XX" "X|HA" "CK)\\b"), "finish it or take it out"};
  static const Word kPlace{std::regex("(^|[\\s\"'=(`])/(home|Users|work|root)/\\w+"),
                           "a path of one machine"};
  Findings findings;
  for (const File& file : tree.files) {
    search(file, file.text, kLater, findings);
    search(file, file.text, kPlace, findings);
  }
  return findings;
}

Findings check_test_sleeps(const Tree& tree) {
  static const Word kSleep{std::regex("sleep_for|sleep_until|\\busleep\\s*\\(|\\bsleep\\s*\\("),
                           "wait for a fact with a deadline (tests/support/wait.hpp)"};
  Findings findings;
  for (const File& file : tree.files) {
    // tests/support holds the one loop that looks again after a pause; handlers of examples pretend to work.
    const bool is_test = file.path.starts_with("tests/") && !file.path.starts_with("tests/support/");
    if (is_test && is_source(file.path)) search(file, file.code, kSleep, findings);
  }
  return findings;
}

}  // namespace ordo::tidy
