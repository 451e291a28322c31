//! Tells the loader where to find the DuckDB library: beside the build, or where a tarball unpacks it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // target/<profile>/promote, target/<profile>/deps/suite-…, and <prefix>/bin/promote of an installed tarball.
    for path in ["$ORIGIN/../duckdb", "$ORIGIN/../../duckdb", "$ORIGIN/../lib/promote"] {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{path}");
    }
}
