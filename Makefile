# rnnconv. The two commands of a new user are `make demo` and `make test`.

PREFIX ?= /usr/local
# Not every shell replaces the tilde of `make install PREFIX=~/.local`.
override PREFIX := $(patsubst ~/%,$(HOME)/%,$(PREFIX))
DEBIAN_PACKAGES := libhdf5-dev zlib1g-dev pkg-config
RELEASE := .build/release
# With the Swift library inside, a program starts in half the time, and on machines without Swift.
STATIC := $(if $(filter Linux,$(shell uname)),--static-swift-stdlib)
DEMO := .build/demo
SOURCES := Package.swift Sources Tests Examples/Sentiment/Package.swift Examples/Sentiment/Sources Benchmarks/Figures

.PHONY: help packages build release demo test lint install bench mutants interop fixtures clean

help:
	@echo "make demo      import a Keras model and run it on sentences"
	@echo "make test      build, and run every test"
	@echo "make lint      check the format"
	@echo "make install   put rnnconv and its helper into PREFIX/bin (now $(PREFIX)/bin)"
	@echo "make bench     measure beside Keras, PyTorch, ONNX Runtime and OpenBLAS, and print the figures (fetches 3 GB the first time)"
	@echo "make mutants   import 500 damaged copies of each kind of file"
	@echo "make interop   let Keras, PyTorch and ONNX Runtime open what we export (needs Python environments; see fixtures/README.md)"
	@echo "make fixtures  write the fixtures again (needs the same)"

# Installs the system packages that are missing: as root, or by sudo without a password, else says how.
packages:
	@if pkg-config --exists hdf5 zlib 2>/dev/null; then exit 0; fi; \
	if ! command -v apt-get >/dev/null 2>&1; then \
	  echo "Install the HDF5 and zlib development packages and pkg-config, then try again" \
	    "(Homebrew: brew install hdf5 pkg-config)."; exit 1; \
	fi; \
	install="apt-get install -y --no-install-recommends $(DEBIAN_PACKAGES)"; \
	if [ "$$(id -u)" = 0 ]; then apt-get update && $$install; \
	elif sudo -n true 2>/dev/null; then sudo -n apt-get update && sudo -n $$install; \
	else echo "Packages are missing. Run:"; echo "  sudo $$install"; exit 1; fi

build: packages
	swift build

release: packages
	swift build -c release $(STATIC) --product rnnconv
	swift build -c release $(STATIC) --product rnnconv-hdf5

demo: release
	@mkdir -p $(DEMO)
	$(RELEASE)/rnnconv import fixtures/sentiment/model.h5 --vocabulary fixtures/sentiment/word_index.json \
	  -o $(DEMO)/sentiment.rnn --force
	@echo
	$(RELEASE)/rnnconv inspect $(DEMO)/sentiment.rnn | head -15
	@echo
	@for text in "this film was just brilliant, I loved every minute" \
	  "a dull story, badly acted; I wanted my money back" \
	  "the first half is slow, but the ending makes up for all of it"; do \
	  $(RELEASE)/rnnconv run --model $(DEMO)/sentiment.rnn --input "$$text" || exit 1; done

test: packages
	swift build --build-tests
	swift test --skip-build
	.build/debug/rnnconv import fixtures/sentiment/model.h5 --vocabulary fixtures/sentiment/word_index.json \
	  -o .build/sentiment.rnn --force
	swift build --package-path Examples/Sentiment
	@! ldd Examples/Sentiment/.build/debug/Sentiment 2>/dev/null | grep -q hdf5 || \
	  { echo "Examples/Sentiment links libhdf5, which no app should need"; exit 1; }
	Examples/Sentiment/.build/debug/Sentiment .build/sentiment.rnn "a wonderful film"

lint:
	swift format lint --strict --recursive --parallel $(wildcard $(SOURCES))

install: release
	install -d "$(PREFIX)/bin"
	install -m 755 $(RELEASE)/rnnconv $(RELEASE)/rnnconv-hdf5 "$(PREFIX)/bin"

# OpenBLAS is measured where it is there, or can be installed.
bench: release
	@ldconfig -p 2>/dev/null | grep -q 'libopenblas\.so\.0' || apt-get install -y --no-install-recommends libopenblas0 \
	  2>/dev/null || echo "OpenBLAS (Debian: libopenblas0) is not there: matrix products are not compared"
	fixtures/environments.sh Benchmarks/peers
	SWIFT_FLAGS="$(STATIC)" Benchmarks/run

mutants: release
	RNNCONV_MUTANTS=500 RNNCONV_BINARIES=$(CURDIR)/$(RELEASE) swift test --filter MutantTests

interop: release
	fixtures/environments.sh keras-3.15 tf-keras-2.19 keras-2.2.4 torch-2.15 onnx-1.17
	fixtures/interop/run

fixtures:
	fixtures/environments.sh
	fixtures/generate.sh

clean:
	rm -rf .build Examples/Sentiment/.build
