#!/usr/bin/env python3
"""Times molarena's Gaussian process against scikit-learn's on the same bits, labels, rows and core, in one run.

    python3 benches/gp_vs_sklearn.py                                # noise 1, or 0.1 for numbers, against ...Regressor
    python3 benches/gp_vs_sklearn.py --likelihood laplace           # classes: amplitude 10, against ...Classifier
    python3 benches/gp_vs_sklearn.py --datasets chembl2k biogen3k

See comparison.py for what is timed and scored. Both sides have the same fixed hyperparameters and solve the same equations.
scikit-learn gets the precomputed Tanimoto kernel matrix of all molecules through a kernel that looks up rows and columns;
its time does not include computing the matrix, while ours does. Both sides' scores leave out tasks with one class only. Our
side also calibrates probabilities, which scikit-learn's regressor does not do.
"""

import comparison


def kernel_class(matrix):
    """A scikit-learn kernel that looks up entries of a matrix; its molecules are row numbers."""
    import numpy as np
    from sklearn.gaussian_process.kernels import Kernel, NormalizedKernelMixin

    class LookUp(NormalizedKernelMixin, Kernel):
        def __init__(self):
            pass

        def __call__(self, x, y=None, eval_gradient=False):
            rows = x[:, 0].astype(int)
            columns = rows if y is None else y[:, 0].astype(int)
            return matrix[np.ix_(rows, columns)]

        def is_stationary(self):
            return False

    return LookUp


def tanimoto(x):
    import numpy as np

    x = x.astype(np.float32)
    common = x @ x.T
    size = x.sum(1)
    union = size[:, None] + size[None] - common
    return np.where(union > 0, common / np.maximum(union, 1), 1).astype(np.float64)


def main():
    parser = comparison.parser(__doc__)
    parser.set_defaults(datasets=["chembl2k", "biogen3k", "broad6k"], chunk=1000)
    parser.add_argument("--likelihood", default="gaussian", choices=["gaussian", "laplace"])
    options = parser.parse_args()
    comparison.prepare(options)
    import numpy as np
    from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel

    def row(dataset, seed):
        noise = 0.1 if dataset == "biogen3k" else 1.0
        looked_up = []

        def theirs(x, y, split, tasks):
            if not looked_up:
                looked_up.append(kernel_class(tanimoto(x)))
            kernel = looked_up[0]

            def make(classes):
                if classes and options.likelihood == "laplace":
                    return GaussianProcessClassifier(ConstantKernel(10.0) * kernel(), optimizer=None)
                return GaussianProcessRegressor(kernel(), alpha=noise, normalize_y=True, optimizer=None)

            # A classifier refuses a task with one class.
            usable = [task for task in tasks if len(np.unique(y[(split == 0) & np.isfinite(y[:, task]), task])) > 1]
            seconds, *scores = comparison.theirs(make, lambda rows: rows[:, None], y, split, usable)
            filled = [dict(zip(usable, column, strict=True)) for column in scores]
            return seconds, *([column.get(task) for task in tasks] for column in filled)

        def ours(tasks):
            config = {"noise": noise, "amplitude": 10.0, "likelihood": options.likelihood}
            return comparison.ours(options, dataset, tasks, seed, "gp", config)

        return comparison.compare(options, dataset, seed, ours, theirs)

    comparison.table(options, row)


if __name__ == "__main__":
    main()
