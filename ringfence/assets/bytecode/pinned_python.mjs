// Runs a Python file in a pinned CPython, which npm brings as WebAssembly (Pyodide); started by ringfence/assets/bytecode/interpreters.py.
//
// Usage: node pinned_python.mjs <npm package> <Python file> <folder>
// The file finds the folder as its only argument; what it prints is printed, and its exception ends this with code 1.
import { readFileSync } from "node:fs";

const [brought, script, folder] = process.argv.slice(2);
const { loadPyodide } = await import(brought);
const python = await loadPyodide();
python.setStdout({ batched: (line) => console.log(line) });
python.setStderr({ batched: (line) => console.error(line) });
python.FS.mkdirTree("/given");
python.mountNodeFS("/given", folder);
python.runPython("import sys; sys.argv = ['', '/given']");
python.runPython(readFileSync(script, "utf8"), { filename: script });
