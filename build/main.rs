//! Links `DuckDB`: says where its library lies beside a build or a tarball's binary, and on Linux on `x86_64` has it loaded
//! when it is first called instead of at every start (loading costs 5 ms of CPU; most commands ask no warehouse).

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "Cargo tells a build script by variables, and is told on standard output"
)]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use object::{Object, ObjectSymbol, SymbolKind};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build");
    // target/<profile>/promote, target/<profile>/deps/suite-…, and <prefix>/bin/promote of an installed tarball.
    for path in ["$ORIGIN/../duckdb", "$ORIGIN/../../duckdb", "$ORIGIN/../lib/promote"] {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{path}");
    }
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    let prebuilt = env::var_os("CARGO_FEATURE_BUNDLED").is_none();
    let target =
        env::var("CARGO_CFG_TARGET_OS")? == "linux" && env::var("CARGO_CFG_TARGET_ARCH")? == "x86_64";
    let library = env::var_os("DUCKDB_LIB_DIR").map(|folder| PathBuf::from(folder).join("libduckdb.so"));
    match library.filter(|library| prebuilt && target && library.exists()) {
        Some(library) => load_when_called(&library),
        None => Ok(()),
    }
}

/// Compiles an entry for every function of `DuckDB`'s C interface. The linker takes these, so that the binary does not
/// name the library as one that it needs.
fn load_when_called(library: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", library.display());
    let bytes = fs::read(library)?;
    let functions: BTreeSet<String> = object::File::parse(bytes.as_slice())?
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition() && symbol.kind() == SymbolKind::Text)
        .filter_map(|symbol| symbol.name().ok().filter(|name| name.starts_with("duckdb_")).map(str::to_owned))
        .collect();
    let entries: String = functions.iter().flat_map(|name| ["entry ", name, "\n"]).collect();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("entries.inc"), entries)?;
    cc::Build::new()
        .include(&out)
        .files(["build/entry.S", "build/load.c"])
        .warnings_into_errors(true)
        .link_lib_modifier("+whole-archive")
        .try_compile("promote_duckdb")?;
    Ok(())
}
