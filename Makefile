# The daily commands. Anything longer than a line is Rust in xtask or a script in scripts/.
.PHONY: demo test test-full check bench gallery package

demo:
	scripts/set-up-demo
	cargo build --release --locked --package cli
	target/release/equipoise demo --out demo

test:
	scripts/set-up-tests
	cargo nextest run --release --locked --workspace

test-full:
	scripts/set-up-tests
	EQUIPOISE_CAMPAIGN=full cargo nextest run --release --locked --workspace

check:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- --deny warnings
	cargo run --quiet --package xtask -- check-layers

bench:
	cargo bench --locked --workspace

package:
	scripts/set-up-demo
	cargo build --release --locked --package cli
	scripts/package

gallery:
	scripts/set-up-gallery
	cargo build --release --locked --package cli --features pdf
	cargo run --quiet --package xtask -- gallery
