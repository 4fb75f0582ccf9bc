//! `id_function`: returns its input.

stepwell::export!(stand_ins::returned);
