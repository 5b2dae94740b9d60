// ordo pipeline check|apply|ls|show|graph.
#include <fstream>
#include <iostream>

#include "client/cli/commands.hpp"
#include "client/cli/pipeline_drawing.hpp"
#include "client/json/json_views.hpp"

namespace ordo::cli {
namespace {

struct FilesOptions {
  std::vector<std::string> files;
  bool is_strict = false;
};
struct ShowOptions {
  std::string name;
  unsigned version = 0;
};
struct GraphOptions {
  std::string source, form = "ascii";
  unsigned version = 0;
};
struct Nothing {};

int failed(const std::string& what, const Error& error) {
  complain(what, error);
  return exit_code_of(error);
}

Json problem_json(const Problem& problem, const std::string& file) {
  return {{"file", file},
          {"line", problem.line},
          {"column", problem.column},
          {"what", problem.what},
          {"instead", problem.instead}};
}

/// What is wrong with a pipeline's text, and what the engine cannot run yet.
std::vector<Problem> problems_of(const std::string& text) {
  const auto pipeline = parse_pipeline(text);
  return pipeline ? unsupported(*pipeline) : pipeline.error();
}

struct Source {
  std::string file, text;
};

/// Every file, read once (stdin has no second time); nullopt after a complaint.
std::optional<std::vector<Source>> sources_of(const FilesOptions& options) {
  std::vector<Source> sources;
  for (const std::string& file : options.files) {
    auto text = read_all(file);
    if (!text) return std::nullopt;
    sources.push_back({file, std::move(*text)});
  }
  return sources;
}

/// What `check` says beside the problems; with `--strict` it counts like one.
std::vector<Json> warnings_in(const Shell& shell, const std::vector<Source>& sources) {
  std::vector<Json> all;
  for (const Source& source : sources) {
    const auto pipeline = parse_pipeline(source.text);
    if (!pipeline) continue;
    for (const Problem& warning : warnings(*pipeline)) {
      Json json = problem_json(warning, source.file);
      json["is_warning"] = true;
      all.push_back(std::move(json));
      if (shell.out().is_text()) {
        std::cerr << "warning: " << warning.to_string(source.file) << '\n';
      }
    }
  }
  return all;
}

/// Says in text what is wrong with each; the problems as JSON.
std::vector<Json> problems_in(const Shell& shell, const std::vector<Source>& sources) {
  std::vector<Json> all;
  for (const Source& source : sources) {
    const auto problems = problems_of(source.text);
    for (const Problem& problem : problems) {
      all.push_back(problem_json(problem, source.file));
      if (shell.out().is_text()) std::cerr << problem.to_string(source.file) << '\n';
    }
    if (problems.empty() && shell.out().is_text()) shell.out().note(source.file + ": ok");
  }
  return all;
}

int check(Shell& shell, const FilesOptions& options) {
  const auto sources = sources_of(options);
  if (!sources) return kRefused;
  std::vector<Json> said = problems_in(shell, *sources);
  const std::vector<Json> warned = warnings_in(shell, *sources);
  const bool is_good = said.empty() && (warned.empty() || !options.is_strict);
  said.insert(said.end(), warned.begin(), warned.end());
  if (!shell.out().is_text()) shell.out().items(said, [] {});
  return is_good ? kOk : kFailed;
}

int apply(Shell& shell, const FilesOptions& options) {
  auto sources = sources_of(options);
  if (!sources) return kRefused;
  if (const auto problems = problems_in(shell, *sources); !problems.empty()) {
    if (!shell.out().is_text()) shell.out().items(problems, [] {});
    return kFailed;
  }
  std::vector<Json> all;
  for (Source& source : *sources) {
    const auto stored = shell.client().put_pipeline(std::move(source.text));
    if (!stored) return failed("cannot apply " + source.file, stored.error());
    all.push_back(to_json(*stored));
    if (shell.out().is_text()) {
      std::cout << stored->name << " v" << stored->version << "  stored  " << stored->steps
                << " steps\n";
    }
  }
  if (!shell.out().is_text()) shell.out().items(all, [] {});
  return kOk;
}

int list(Shell& shell, const Nothing&) {
  const auto pipelines = shell.client().pipelines();
  if (!pipelines) return failed("cannot list pipelines", pipelines.error());
  shell.out().items(each_to_json(*pipelines), [&] {
    std::vector<std::vector<std::string>> rows{{"PIPELINE", "VERSION", "STEPS"}};
    for (const auto& pipeline : *pipelines) {
      rows.push_back(
          {pipeline.name, std::to_string(pipeline.version), std::to_string(pipeline.steps)});
    }
    shell.out().table(rows);
  });
  return kOk;
}

int show(Shell& shell, const ShowOptions& options) {
  const auto pipeline = shell.client().pipeline(options.name, options.version);
  if (!pipeline) return failed("cannot show pipeline " + options.name, pipeline.error());
  shell.out().item(to_json(*pipeline), [&] { std::cout << pipeline->source; });
  return kOk;
}

/// The text of a file, or of a stored pipeline where there is no such file.
Result<std::string> source_of(Shell& shell, const GraphOptions& options) {
  if (options.source == "-" || std::ifstream(options.source).good()) {
    if (auto text = read_all(options.source)) return std::move(*text);
  }
  auto stored = shell.client().pipeline(options.source, options.version);
  if (!stored) return tl::unexpected(std::move(stored.error()));
  return std::move(stored->source);
}

int graph(Shell& shell, const GraphOptions& options) {
  const auto text = source_of(shell, options);
  if (!text) return failed("there is no file and no pipeline " + options.source, text.error());
  const auto pipeline = parse_pipeline(*text);
  if (!pipeline) {
    for (const Problem& problem : pipeline.error()) {
      std::cerr << problem.to_string(options.source) << '\n';
    }
    return kFailed;
  }
  const std::string drawing = options.form == "mermaid" ? draw_mermaid(*pipeline)
                              : options.form == "dot"   ? draw_dot(*pipeline)
                                                        : draw_ascii(*pipeline);
  shell.out().item({{"pipeline", pipeline->name}, {"form", options.form}, {"graph", drawing}},
                   [&] { std::cout << drawing; });
  return kOk;
}

}  // namespace

void add_pipeline_commands(CLI::App& app, Commands& commands) {
  CLI::App* pipeline =
      app.add_subcommand("pipeline", "Pipelines: check, plan, apply, ls, show, graph");
  pipeline->require_subcommand(1);

  const auto checked = std::make_shared<FilesOptions>();
  CLI::App& command =
      add_command(*pipeline, commands, {"check", "Check files, without a broker"}, &check, checked);
  command.add_option("files", checked->files, "YAML files (-: stdin)")->required();
  command.add_flag("--strict", checked->is_strict, "Exit 1 where there are warnings, too");
  add_examples(command, "  ordo pipeline check pipelines/*.yaml");

  add_plan_command(*pipeline, commands);

  const auto applied = std::make_shared<FilesOptions>();
  add_command(*pipeline, commands, {"apply", "Check files and store their versions in every shard"},
              &apply, applied)
      .add_option("files", applied->files, "YAML files (-: stdin)")
      ->required();

  add_command(*pipeline, commands, {"ls", "All versions"}, &list, std::make_shared<Nothing>());

  const auto shown = std::make_shared<ShowOptions>();
  CLI::App& source =
      add_command(*pipeline, commands, {"show", "The text of a version"}, &show, shown);
  source.add_option("name", shown->name, "The pipeline")->required();
  source.add_option("--version", shown->version, "The version; left out: the newest");

  const auto drawn = std::make_shared<GraphOptions>();
  CLI::App& drawing = add_command(*pipeline, commands,
                                  {"graph", "Draw a file or a stored pipeline"}, &graph, drawn);
  drawing.add_option("source", drawn->source, "A file, or the name of a pipeline")->required();
  drawing.add_option("--format", drawn->form, "ascii, mermaid or dot")
      ->check(CLI::IsMember({"ascii", "mermaid", "dot"}))
      ->capture_default_str();
  drawing.add_option("--version", drawn->version, "Of a stored pipeline; left out: the newest");
}

}  // namespace ordo::cli
