#include "client/cli/completion.hpp"

#include <algorithm>

namespace ordo::cli {
namespace {

struct Place {
  std::string path;
  std::vector<std::string> commands;
  std::vector<std::string> options;
};

std::vector<std::string> long_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

void walk(const CLI::App& app, const std::string& path, const std::vector<std::string>& inherited,
          std::vector<Place>& places) {
  Place place{path, {}, long_options(app)};
  place.options.insert(place.options.end(), inherited.begin(), inherited.end());
  std::sort(place.options.begin(), place.options.end());
  place.options.erase(std::unique(place.options.begin(), place.options.end()), place.options.end());
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : below) place.commands.push_back(command->get_name());
  places.push_back(std::move(place));
  const auto options = places.back().options;
  for (const CLI::App* command : below) {
    walk(*command, path + " " + command->get_name(), options, places);
  }
}

std::vector<Place> places_of(const CLI::App& app) {
  std::vector<Place> places;
  walk(app, "ordo", {}, places);
  return places;
}

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string offered(const Place& place) {
  auto words = place.commands;
  words.insert(words.end(), place.options.begin(), place.options.end());
  return joined(words, " ");
}

/// `"ordo queue"|"ordo queue ls"…`: every path but the first.
std::string paths_pattern(const std::vector<Place>& places) {
  std::vector<std::string> paths;
  for (const Place& place : places) {
    if (place.path != "ordo") paths.push_back("\"" + place.path + "\"");
  }
  return joined(paths, "|");
}

std::string bash_script(const std::vector<Place>& places) {
  std::string text =
      "# bash completion for ordo; put it into /etc/bash_completion.d or source it\n"
      "_ordo() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} path=ordo word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$path $word\" in\n"
      "      " +
      paths_pattern(places) +
      ") path=\"$path $word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  for (const Place& place : places) {
    text += "    \"" + place.path + "\") COMPREPLY=($(compgen -W \"" + offered(place) +
            "\" -- \"$cur\")) ;;\n";
  }
  return text + "  esac\n}\ncomplete -o default -F _ordo ordo\n";
}

std::string zsh_script(const std::vector<Place>& places) {
  std::string text =
      "#compdef ordo\n"
      "_ordo() {\n"
      "  local here=ordo word\n"
      "  for word in \"${words[@]:1:CURRENT-2}\"; do\n"
      "    case \"$here $word\" in\n"
      "      " +
      paths_pattern(places) +
      ") here=\"$here $word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$here\" in\n";
  for (const Place& place : places) {
    text += "    \"" + place.path + "\") compadd -- " + offered(place) + " ;;\n";
  }
  return text + "  esac\n  _files\n}\ncompdef _ordo ordo\n";
}

std::string fish_script(const std::vector<Place>& places) {
  std::string text =
      "# fish completion for ordo; put it into ~/.config/fish/completions/ordo.fish\n"
      "function __ordo_path\n"
      "  set -l path ordo\n"
      "  for word in (commandline -opc)[2..]\n"
      "    switch \"$path $word\"\n";
  for (const Place& place : places) {
    if (place.path == "ordo") continue;
    text += "      case '" + place.path + "'\n        set path \"$path $word\"\n";
  }
  text += "    end\n  end\n  echo $path\nend\n";
  for (const Place& place : places) {
    text += "complete -c ordo -n 'test (__ordo_path) = \"" + place.path + "\"' -a '" +
            offered(place) + "'\n";
  }
  return text;
}

std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, changed}));
    }
  }
  return row.back();
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t away = distance(word, candidate);
    if (away < least) {
      least = away;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  const auto places = places_of(app);
  if (shell == "zsh") return zsh_script(places);
  if (shell == "fish") return fish_script(places);
  return bash_script(places);
}

Mistyped mistyped(const CLI::App& app, const std::vector<std::string>& arguments) {
  const auto places = places_of(app);
  const Place* here = &places.front();
  for (const std::string& word : arguments) {
    const auto below = std::find_if(places.begin(), places.end(), [&](const Place& place) {
      return place.path == here->path + " " + word;
    });
    if (below != places.end()) {
      here = &*below;
    } else if (word.rfind("--", 0) == 0) {
      const std::string name = word.substr(0, word.find('='));
      const bool is_known =
          std::find(here->options.begin(), here->options.end(), name) != here->options.end();
      if (!is_known) return {name, nearest(name, here->options)};
    } else if (!here->commands.empty()) {
      const std::string command = nearest(word, here->commands);
      return {word, command.empty() ? command : here->path + " " + command};
    }
  }
  return {};
}

}  // namespace ordo::cli
