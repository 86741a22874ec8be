"""Cleaning the sample's year, measured: our job beside a bare copy and the usual ways of cleaning."""
