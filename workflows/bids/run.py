#!/usr/bin/env python3
"""`insitu bids` for a cohort, by Snakemake: a BIDS App.

    run.py BIDS_DIR OUT_DIR participant|group [--participant-label ...] [--session-label ...] [--cores N]

Whatever Snakemake's own command line takes is passed on: `--executor slurm --jobs 100`, `--executor kubernetes`, `-n`.
"""

from pathlib import Path

from snakebids import bidsapp, plugins

HERE = Path(__file__).resolve().parent

app = bidsapp.app([plugins.SnakemakeBidsApp(HERE, configfile_path=HERE / "code" / "snakebids.yml")], description=__doc__)

if __name__ == "__main__":
    app.run()
