//! Who may depend on whom, read from `cargo metadata`: the layers stay layers because this test says so.
//!
//! `pyext` > `plane` > `core`; PyO3 under `pyext` alone, mio under `plane` alone, async runtimes nowhere. The rules
//! look at resolved dependencies, so that a crate that sneaks in through another one is found too. `bench` stands beside
//! the layers: it may use what it likes, and none of them knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const CORE: &str = "rocketmq-lite-core";
const PLANE: &str = "rocketmq-lite-plane";
const PYEXT: &str = "rocketmq-lite-py";
const BENCH: &str = "rocketmq-lite-bench";

/// What no crate of ours may pull in: the reactor is ours, and Trio is the only scheduler in the process.
const ASYNC_RUNTIMES: [&str; 9] = [
    "tokio",
    "async-std",
    "smol",
    "async-executor",
    "async-io",
    "futures-executor",
    "glommio",
    "monoio",
    "pyo3-async-runtimes",
];

/// The resolved graph: package name -> names of its normal and build dependencies, one step away.
struct Graph {
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn load() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--offline", "--locked", "--format-version", "1"])
            // Only what this platform builds has been downloaded; the whole graph would need the network.
            .args(["--filter-platform", &host()])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
        let names: BTreeMap<&str, &str> = list(&metadata["packages"])
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let edges = list(&metadata["resolve"]["nodes"])
            .map(|node| {
                let targets = list(&node["deps"]).filter(|dep| !dev_only(dep));
                let targets = targets.map(|dep| names[text(&dep["pkg"])].to_owned()).collect();
                (names[text(&node["id"])].to_owned(), targets)
            })
            .collect();
        Self { edges }
    }

    fn direct(&self, package: &str) -> &BTreeSet<String> {
        self.edges.get(package).unwrap_or_else(|| panic!("no package {package} in the workspace"))
    }

    /// Everything that `package` reaches.
    fn reach(&self, package: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut todo = vec![package.to_owned()];
        while let Some(next) = todo.pop() {
            for dependency in self.edges.get(&next).into_iter().flatten() {
                if seen.insert(dependency.clone()) {
                    todo.push(dependency.clone());
                }
            }
        }
        seen
    }
}

/// The triple that this cargo builds for, as its verbose version names it.
fn host() -> String {
    let output = Command::new(env!("CARGO")).arg("-vV").output().expect("cargo runs");
    let version = String::from_utf8(output.stdout).expect("cargo speaks UTF-8");
    let line = version.lines().find_map(|line| line.strip_prefix("host: "));
    line.expect("cargo names its host").to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn dev_only(dependency: &Value) -> bool {
    list(&dependency["dep_kinds"]).all(|kind| kind["kind"] == "dev")
}

#[test]
fn crates_depend_downwards_only() {
    let graph = Graph::load();
    let core = graph.reach(CORE);
    assert!(!core.contains(PLANE) && !core.contains(PYEXT), "core depends on nothing of ours");
    assert!(!graph.reach(PLANE).contains(PYEXT), "plane knows core, not Python");
    assert!(graph.direct(PLANE).contains(CORE));
    assert!(graph.direct(PYEXT).is_superset(&BTreeSet::from([CORE.to_owned(), PLANE.to_owned()])));
}

#[test]
fn nothing_that_is_installed_depends_on_the_bench() {
    let graph = Graph::load();
    assert!(graph.direct(BENCH).contains(CORE));
    assert!(!graph.reach(PYEXT).contains(BENCH));
}

#[test]
fn pyo3_is_found_under_pyext_alone() {
    let graph = Graph::load();
    for package in [CORE, PLANE] {
        let found: Vec<_> =
            graph.reach(package).into_iter().filter(|name| name.starts_with("pyo3")).collect();
        assert!(found.is_empty(), "{package} reaches {found:?}");
    }
    assert!(graph.direct(PYEXT).contains("pyo3"));
}

#[test]
fn mio_and_socket2_are_used_by_plane_alone() {
    let graph = Graph::load();
    for name in ["mio", "socket2"] {
        assert!(!graph.reach(CORE).contains(name), "core reaches {name}");
        assert!(!graph.direct(PYEXT).contains(name), "pyext uses {name} itself");
        assert!(graph.direct(PLANE).contains(name));
    }
}

#[test]
fn no_async_runtime_is_reached() {
    let graph = Graph::load();
    for package in [CORE, PLANE, PYEXT] {
        let reach = graph.reach(package);
        let found: Vec<_> = ASYNC_RUNTIMES.iter().filter(|name| reach.contains(**name)).collect();
        assert!(found.is_empty(), "{package} reaches {found:?}");
    }
}
