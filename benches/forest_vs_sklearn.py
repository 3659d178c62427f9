#!/usr/bin/env python3
"""Times molarena's random forest against scikit-learn's on the same bits, labels, rows and core, in one run.

    python3 benches/forest_vs_sklearn.py                        # all tasks of all datasets (ToxCast: most of an hour)
    python3 benches/forest_vs_sklearn.py --max-tasks 6          # six evenly spaced tasks of each dataset
    python3 benches/forest_vs_sklearn.py --datasets chembl2k --seeds 0 1 2

See comparison.py for what is timed and scored. A task's forest depends on the task's position in the chunk, which acts like
any other seed.
"""

import comparison


def main():
    options = comparison.parser(__doc__).parse_args()
    comparison.prepare(options)
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    def row(dataset, seed):
        def make(classes):
            return (RandomForestClassifier if classes else RandomForestRegressor)(random_state=seed, n_jobs=1)

        def theirs(x, y, split, tasks):
            return comparison.theirs(make, lambda rows: x[rows], y, split, tasks)

        def ours(tasks):
            return comparison.ours(options, dataset, tasks, seed, "rf", {})

        return comparison.compare(options, dataset, seed, ours, theirs)

    comparison.table(options, row)


if __name__ == "__main__":
    main()
