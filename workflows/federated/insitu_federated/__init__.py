"""Federated tuning of a model of insitu-seg on Flower.

A round: every site gets the weights that hold, tunes them by `insitu tune` on its own cases and sends the tuned ones; the
server averages them (Flower's FedAvg, by the number of cases); every site judges the mean on cases that were held out
there; the mean holds only where the verdicts allow it.
"""
