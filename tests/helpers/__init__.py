"""Code that several test files share: sample exchanges and reports, servers, and ways to run the suite.

Import it as ``from helpers.answers import ...``: ``tests/`` is on pytest's path.

Exchanges and reports to judge or render, without a network:

- ``answers``: single conforming exchanges, with changes that a test makes; what a clause reports about them
- ``conversations``: how jobs go through a queue, as a sequence of exchanges
- ``queue_bodies``: bodies from typical to odd, and what the clauses find in them
- ``report_samples``: reports that pass, fail, are inconclusive, have waivers, or come from a hostile server
- ``stock_comfyui``: the report on a stock ComfyUI
- ``history_samples``: histories of such reports
- ``fleet_samples``: results of many targets
- ``recordings``: recorded files, and what ``judge`` reports on them
- ``mutations`` with ``mutations_of_messages``, ``mutations_of_queues``, ``mutations_of_text``: breaches of each clause
- ``registers``: registers of known deviations, and what is judged with them
- ``published_documents``: documents as their publisher writes them
- ``published_quotes``: quotes of the published document, compared with ``data/published-quotes.txt``
- ``windows``: read small bodies in the way of large ones

Runs against the reference endpoint:

- ``reference_runs``: one run for each fault and variant, shared by several files
- ``simulated_runs``: runs that submit jobs, without a network, on a simulated clock
- ``generated_runs``: runs with generated requests, in the same way
- ``boards``: the same with a queue that a test defines
- ``load_world``: many simulated users
- ``locust_runs``: load by the real Locust

Servers on loopback:

- ``talks``: one client and one server whose part a test writes
- ``servers``: TLS, a proxy, and servers with a fixed response
- ``certificates``: servers with a certificate, or that refuse every TLS handshake
- ``comfyui``, ``comfyui_runs``: an imitation of ComfyUI, and runs against it

Ways to start something:

- ``cli_runner``: the command line within the test process
- ``run_options``: settings from options by name
- ``commands``: the commands in processes of their own; ``fork_server`` and ``warm`` make these cheap
- ``workflow_runner``: the steps of a CI workflow, with ``fake_gh`` as its ``gh``
- ``browser``: pages in Chromium, and what axe-core finds in them (its fixtures are available everywhere)
- ``programs``: programs that may not be installed
- ``profiles``: which parameters of a test belong to the quick run, and which to the deep run
"""
