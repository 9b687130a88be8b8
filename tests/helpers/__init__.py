"""What several test files share: made-up exchanges and reports, servers, ways to run the suite, tools.

Import it as ``from helpers.answers import ...``: ``tests/`` is on pytest's path.

Exchanges and reports to judge or render, without a network:

- ``answers``: single exchanges that follow the contract, and what a test changes in them; what the clauses report
- ``conversations``: the life of jobs as a sequence of exchanges
- ``report_samples``: reports that pass, fail, are inconclusive, have waivers, or come from a hostile server
- ``history_samples``, ``history_of_version_1``: histories of such reports
- ``fleet_samples``: results of many targets
- ``recordings``: recorded files, and what ``judge`` reports on them
- ``mutations`` with ``mutations_of_messages``, ``mutations_of_queues``, ``mutations_of_text``: breaches of each clause
- ``published_quotes``: quotes of the published document, compared with ``data/published-quotes.txt``

Runs against the reference endpoint:

- ``reference_runs``: one run for each fault and variant, shared by several files
- ``simulated_runs``: runs that submit jobs, without a network, on a clock that the test moves
- ``generated_runs``: runs with generated requests, in the same way
- ``boards``: the same on a board of the test's own
- ``load_world``: many simulated users
- ``locust_runs``: load by the real Locust
- ``lifecycle_model``: random sequences of job operations

Servers on loopback:

- ``servers``: TLS, a proxy, and servers with a fixed response
- ``certificates``: which certificate a server shows
- ``comfyui``, ``comfyui_runs``: the stand-in for ComfyUI, and runs against it
- ``objects_server``: a server that lists jobs as objects

Ways to start something:

- ``cli_runner``: the command line within the test process
- ``run_options``: settings from options by name
- ``commands``: the commands in processes of their own; ``fork_server`` makes these cheap
- ``workflow_runner``: the steps of a CI workflow, with ``fake_gh`` as its ``gh``
- ``browser``: pages in Chromium, and what axe-core finds in them (its fixtures are available everywhere)
- ``programs``: programs that a machine may lack
"""
