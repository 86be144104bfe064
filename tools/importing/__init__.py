"""Responses of other toolkits, converted into files of ours."""
