"""Two data sets that everybody fits: baseball by Bradley-Terry, anaesthetists by Dawid-Skene."""

from math import log

import numpy as np

from consensus.aggregation import bradley_terry, dawid_skene
from consensus.validation.rows import Row

AGRESTI = "Agresti, Categorical Data Analysis (2002), table 10.11; R package BradleyTerry2, its tests"
# Games won, row over column, American League East 1987: Milwaukee, Detroit, Toronto, New York, Boston, Cleveland,
# Baltimore.
BASEBALL_WINS = (
    (0, 7, 9, 7, 7, 9, 11),
    (6, 0, 7, 5, 11, 9, 9),
    (4, 6, 0, 7, 7, 8, 12),
    (6, 8, 6, 0, 6, 7, 10),
    (6, 2, 6, 7, 0, 7, 12),
    (4, 4, 5, 6, 6, 0, 6),
    (2, 4, 1, 3, 1, 7, 0),
)
BASEBALL_ABILITIES = (1.58, 1.44, 1.29, 1.25, 1.11, 0.68)  # log strength over Baltimore's

ANAESTHETISTS = "Dawid and Skene 1979, the anaesthetists of table 1"
# What was said of each of 45 patients (1 to 4): observer 1 three times, then observers 2 to 5.
PATIENTS = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 1211111
1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121
1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""
OBSERVER_OF = (0, 0, 0, 1, 2, 3, 4)  # of each column
CLASS_SHARES = (0.40, 0.42, 0.11, 0.07)


def list_rows() -> list[Row]:
    """Abilities of the teams, and shares of the four classes of patients."""
    strength_I = bradley_terry.fit_strengths(np.array(BASEBALL_WINS, dtype=float), iterations=500)
    abilities = tuple(log(strength / strength_I[-1]) for strength in strength_I[:-1])
    fit = dawid_skene.fit_dawid_skene(count_observations(), iterations=100)
    shares = tuple(fit.prior_C.tolist())
    return [
        Row("Bradley-Terry abilities", "baseball 1987", "bradley-terry", AGRESTI, BASEBALL_ABILITIES, abilities, 5e-3),
        Row("Dawid-Skene class shares", "45 patients", "dawid-skene", ANAESTHETISTS, CLASS_SHARES, shares, 5e-3),
    ]


def count_observations() -> np.ndarray:
    """How often each observer put each patient in each class [45,5,4]."""
    count_TNL = np.zeros((45, 5, 4))
    for patient, digits in enumerate(PATIENTS.split()):
        for observer, digit in zip(OBSERVER_OF, digits, strict=True):
            count_TNL[patient, observer, int(digit) - 1] += 1
    return count_TNL
