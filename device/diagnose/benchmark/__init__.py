"""How fast a model is on this machine: `edgeinfer benchmark`.

`run.benchmark_model` measures, `remote.benchmark_on` has a board measure, `report.BenchmarkReport`
is what both return. Nothing is imported here, so that the process that measures a cold start
(`cold_start_process`) loads no more than a program of a user's own would.
"""
