# Two commands for newcomers: `make run` and `make test`. Both install what is missing (deploy/install-deps.sh).

# Where rustup puts cargo, for shells that were opened before it.
export PATH := $(PATH):$(HOME)/.cargo/bin

SCENARIO ?= workflow-engine
DURATION ?=
ARGS ?=
# Profile of the build that `make run` measures with; CI takes the one that its tests have built.
PROFILE ?= fast

# A cluster has database 0 only.
CLUSTER_FIELDS = $(if $(filter workflow-engine,$(SCENARIO)),--set service.chat.database=0 --set service.ml.database=0)

.DEFAULT_GOAL := help
.PHONY: help run analysis cluster capacity scale check test proof bench completions clean

help: ## show this help
	@printf 'plimsoll: load and latency benchmark for Redis and Valkey\n\n'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@printf '\nFor make run, make analysis, make cluster and make capacity:\n'
	@printf '  SCENARIO=NAME|FILE   what to run (workflow-engine; "make run ARGS=--help" for more)\n'
	@printf '  DURATION=30s         length of the measured period (as the scenario says; not for capacity)\n'
	@printf '  ARGS="..."           further arguments of plimsoll run or plimsoll capacity\n'

run: ## build, run a load test against a private server, report
	@deploy/install-deps.sh run
	@cargo build --profile $(PROFILE) --locked
	@cargo run --profile $(PROFILE) --locked --quiet -- run $(SCENARIO) $(if $(DURATION),--duration $(DURATION)) $(ARGS)

analysis: ## the same, with a report that has sections for the operator of the server
	@$(MAKE) --no-print-directory run ARGS="--style analysis $(ARGS)"

cluster: ## the same on a private cluster of three primaries with a replica each
	@$(MAKE) --no-print-directory run ARGS="--topology cluster $(CLUSTER_FIELDS) $(ARGS)"

capacity: ## would a larger pool help the default scenario? shortened to four minutes
	@deploy/install-deps.sh run
	@cargo build --profile fast --locked
	@cargo run --profile fast --locked --quiet -- capacity $(SCENARIO) --pool 50,100 --trial 3s --budget 4m $(ARGS)

scale: ## run the tests of load from several machines, with a Slurm of four nodes on this one
	@deploy/install-deps.sh test
	cargo test --locked --test system -- cli::network cli::scale cli::slurm capacity::generators

check: ## check format and lints, run the unit tests
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked --quiet --lib --test architecture --test style -- --skip proof:: --skip simulation::

test: ## check format and lints, run all tests
	@deploy/install-deps.sh test
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo test --locked
	cargo test --locked --benches

proof: ## play gates and comparisons of pools through on simulated arms, merge 1 000 simulated shards of an hour
	PLIMSOLL_PROOF=20000 cargo test --locked --profile fast --lib gate::proof
	PLIMSOLL_PROOF=2000 cargo test --locked --profile fast --lib capacity::proof
	PLIMSOLL_PROOF=1000 cargo test --locked --profile fast --lib merge::simulation -- --nocapture

bench: ## measure single operations and what the harness itself costs (four minutes)
	@deploy/install-deps.sh run
	cargo bench --locked

completions: ## write shell completions and man pages to target/completions and target/man
	@cargo build --profile fast --locked
	@mkdir -p target/completions
	@for shell in bash elvish fish powershell zsh; do \
		cargo run --profile fast --locked --quiet -- completions $$shell > target/completions/plimsoll.$$shell || exit 1; \
	done
	@cargo run --profile fast --locked --quiet -- man --out target/man

clean: ## remove what was built; results stay
	@cargo clean
