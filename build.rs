//! Where the binary is linked to: see below.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    // At a fixed place nothing is left to be relocated at the start: that would read 12 MB of relocations and
    // write 4 MB of tables, which stay resident in every process.
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
